import type { Json } from "../../wire.ts";
import type { Schema } from "./schema.ts";

/** One field of a form: undefined is left out, so that the server's default counts. */
export interface FieldProps {
  readonly name: string;
  /** Default: made of the name. */
  readonly label?: string;
  readonly schema: Schema;
  readonly value: Json | undefined;
  readonly required: boolean;
  change(value: Json | undefined): void;
}
