import { expect, test } from "vitest";
import { readConfig } from "../../server/config.ts";

test("without settings the server is local, on port 8000, with the embedded database", () => {
  expect(readConfig({})).toMatchObject({ HOST: "127.0.0.1", PORT: 8000, DATA_DIR: ".data", AUTH_ENABLED: false });
  expect(readConfig({ PORT: "", DATABASE_URL: "" })).toMatchObject({ PORT: 8000 });
  expect(readConfig({}).DATABASE_URL).toBeUndefined();
});

test.each([
  [{ PORT: "80x" }, "PORT is 80x, not a whole number from 0 to 65535"],
  [{ PORT: "65536" }, "PORT is 65536, not a whole number from 0 to 65535"],
  [{ PORT: "-1" }, "PORT is -1, not a whole number from 0 to 65535"],
  [{ AUTH_TOKEN_EXPIRE_MINUTES: "0" }, "AUTH_TOKEN_EXPIRE_MINUTES is 0, not a whole number from 1 to 525600"],
  [{ LOG_LEVEL: "loud" }, "LOG_LEVEL is loud, not one of debug, info, warning, error"],
  [{ ENABLE_DOCS: "maybe" }, "ENABLE_DOCS is maybe, neither true nor false"],
  [{ HOST: "0.0.0.0" }, "set AUTH_ENABLED=true, or ALLOW_INSECURE=true"],
  [{ AUTH_ENABLED: "true" }, "AUTH_JWT_SECRET is required when AUTH_ENABLED is true"],
  [{ AUTH_ENABLED: "true" }, "AUTH_ISSUER_KEY is required when AUTH_ENABLED is true"],
])("%o does not work, and the message says why", (environment, message) => {
  expect(() => readConfig(environment)).toThrow(message);
});

test.each(["mysql://app:hunter2@db/app", "postgres://app:hunter2@:::db"])(
  "%s is refused without its password",
  (url) => {
    expect(() => readConfig({ DATABASE_URL: url })).toThrow(/^(?!.*hunter2).*DATABASE_URL is no PostgreSQL address/s);
  },
);

test("every wrong setting is named at once", () => {
  expect(() => readConfig({ PORT: "x", LOG_LEVEL: "y" })).toThrow(/PORT.*\n.*LOG_LEVEL/);
});
