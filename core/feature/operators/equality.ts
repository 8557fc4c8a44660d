import type { Json } from "../../json.ts";
import { listValue, type Operator, type Present, scalarValue, textValue } from "./operator.ts";

type Scalar = string | number | boolean;

/** Equal means the same type and the same value: "1" is not 1. */
export const equality = {
  equals: {
    summary: "Is this value, of the same type",
    value: "a string, number or boolean",
    compile(value) {
      const wanted = scalarValue(value);
      return (attribute) => attribute === wanted;
    },
  },
  not_equals: {
    summary: "Is a string, number or boolean other than this value",
    value: "a string, number or boolean",
    compile(value) {
      const unwanted = scalarValue(value);
      return (attribute) => isScalar(attribute) && attribute !== unwanted;
    },
  },
  equals_ignore_case: {
    summary: "Is this text, upper or lower case",
    value: "a string",
    takes: "text",
    compile(value) {
      const wanted = textValue(value).toLowerCase();
      return (attribute) => typeof attribute === "string" && attribute.toLowerCase() === wanted;
    },
  },
  not_equals_ignore_case: {
    summary: "Is text other than this, upper or lower case",
    value: "a string",
    takes: "text",
    compile(value) {
      const unwanted = textValue(value).toLowerCase();
      return (attribute) => typeof attribute === "string" && attribute.toLowerCase() !== unwanted;
    },
  },
  in: {
    summary: "Is one of these values",
    value: "a list of strings, numbers or booleans",
    compile(value) {
      const wanted = scalars(value);
      return (attribute) => wanted.has(attribute as Scalar);
    },
  },
  not_in: {
    summary: "Is a string, number or boolean that is none of these values",
    value: "a list of strings, numbers or booleans",
    compile(value) {
      const unwanted = scalars(value);
      return (attribute) => isScalar(attribute) && !unwanted.has(attribute);
    },
  },
  in_ignore_case: {
    summary: "Is one of these texts, upper or lower case",
    value: "a list of strings",
    takes: "texts",
    compile(value) {
      const wanted = lowerCased(value);
      return (attribute) => typeof attribute === "string" && wanted.has(attribute.toLowerCase());
    },
  },
  not_in_ignore_case: {
    summary: "Is text that is none of these, upper or lower case",
    value: "a list of strings",
    takes: "texts",
    compile(value) {
      const unwanted = lowerCased(value);
      return (attribute) => typeof attribute === "string" && !unwanted.has(attribute.toLowerCase());
    },
  },
} as const satisfies Record<string, Operator>;

function isScalar(attribute: Present): attribute is Scalar {
  return typeof attribute !== "object";
}

function scalars(value: Json | undefined): ReadonlySet<Scalar> {
  return new Set(listValue(value).map(scalarValue));
}

function lowerCased(value: Json | undefined): ReadonlySet<string> {
  return new Set(listValue(value).map((entry) => textValue(entry).toLowerCase()));
}
