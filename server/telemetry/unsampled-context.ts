import { type Context, propagation, ROOT_CONTEXT } from "@opentelemetry/api";

/**
 * The context of a request whose caller does not want it traced. Log lines and queued jobs may still ask for the caller's
 * trace: only then its headers are read.
 */
export class UnsampledContext implements Context {
  readonly #headers: object;
  #read: Context | undefined;

  constructor(headers: object) {
    this.#headers = headers;
  }

  getValue(key: symbol): unknown {
    return this.#inner().getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#inner().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#inner().deleteValue(key);
  }

  #inner(): Context {
    this.#read ??= propagation.extract(ROOT_CONTEXT, this.#headers);
    return this.#read;
  }
}
