import { expect, test } from "vitest";
import { libpqUrl } from "../../../server/postgres/libpq-url.ts";

test.each([
  ["postgres://a:b@host:5432/db", "postgres://a:b@host:5432/db"],
  [
    "postgres://a:b%40c@host/db?sslmode=require&application_name=x",
    "postgres://a:b%40c@host/db?sslmode=require&application_name=x&uselibpqcompat=true",
  ],
  ["postgres:///db?host=/run/postgresql", "postgres:///db?host=/run/postgresql"],
])("libpqUrl() of %s is %s", (url, given) => {
  expect(libpqUrl(url)).toBe(given);
});
