import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import busboy from "busboy";
import { HttpError } from "./errors.ts";
import type { RouteContext } from "./route.ts";

/** A form with at most one file. Closing it deletes the file. */
export interface Form extends AsyncDisposable {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: { readonly field: string; readonly name: string; readonly path: string } | undefined;
}

/** Bytes a file may have. */
export const FILE_LIMIT = 2 * 1024 * 1024 * 1024;

/**
 * Reads a multipart or urlencoded form. The file goes to disk while it arrives, never into memory, so that the fields may
 * come before or after it and all of them are checked before the first row is stored.
 *
 * @throws HttpError 400 for a form that cannot be read, 413 for a file over 2 GB
 */
export async function readForm(c: RouteContext): Promise<Form> {
  const type = c.req.header("content-type") ?? "";
  if (!/^(multipart\/form-data|application\/x-www-form-urlencoded)/i.test(type) || c.req.raw.body === null)
    throw malformed(`its content type is "${type}"`);
  const directory = await mkdtemp(join(tmpdir(), "aff-upload-"));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const read = await receive(c.req.raw.body, type, join(directory, "file"));
    return { ...read, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error instanceof HttpError ? error : malformed((error as Error).message);
  }
}

async function receive(
  body: ReadableStream<Uint8Array>,
  type: string,
  path: string,
): Promise<Omit<Form, keyof AsyncDisposable>> {
  const fields: Record<string, string> = Object.create(null);
  let file: Form["file"];
  let writing: Promise<void> = Promise.resolve();
  let tooLarge = false;
  const parser = busboy({
    headers: { "content-type": type },
    limits: { files: 1, fileSize: FILE_LIMIT, fields: 50, fieldSize: 8 * 1024, parts: 60 },
  });
  parser.on("field", (name, value) => {
    fields[name] = value;
  });
  parser.on("file", (field, stream, { filename }) => {
    file = { field, name: filename ?? "upload", path };
    stream.on("limit", () => {
      tooLarge = true;
      parser.destroy(new Error("the file is too large"));
    });
    writing = pipeline(stream, createWriteStream(path));
    writing.catch((error: Error) => parser.destroy(error));
  });
  let incomplete = false;
  for (const limit of ["filesLimit", "fieldsLimit", "partsLimit"] as const)
    parser.on(limit, () => {
      incomplete = true;
    });
  try {
    await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), parser);
    await writing;
  } catch (error) {
    if (tooLarge) throw new HttpError(413, "body_too_large", "The file is larger than 2 GB; send it in parts");
    throw error;
  }
  if (incomplete) throw malformed("it has more than one file or more than 50 fields");
  return { fields, file };
}

function malformed(found: string): HttpError {
  return new HttpError(
    400,
    "malformed_form",
    `The form cannot be read: ${found}. Send multipart/form-data with one file at most`,
  );
}
