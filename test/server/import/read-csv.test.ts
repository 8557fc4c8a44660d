import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type CsvItem, readCsv } from "../../../server/import/read-csv.ts";

async function read(content: string | Buffer, options = {}): Promise<CsvItem[]> {
  const items: CsvItem[] = [];
  for await (const item of readCsv(Readable.from([Buffer.from(content)]), options)) items.push(item);
  return items.sort((a, b) => a.line - b.line);
}

describe("readCsv()", () => {
  test("gives each record with its line, whatever the quoting", async () => {
    expect(await read('\ufeffname , note\r\nada,"a, ""b"""\r\n\r\nbob,"two\nlines"\r\neve,\r\n')).toEqual([
      { line: 2, values: { name: "ada", note: 'a, "b"' } },
      { line: 5, values: { name: "bob", note: "two\nlines" } },
      { line: 6, values: { name: "eve", note: "" } },
    ]);
  });

  test("unzips gzip and takes another delimiter", async () => {
    expect(await read(gzipSync("a;b\n1;2\n"), { delimiter: ";" })).toEqual([{ line: 2, values: { a: "1", b: "2" } }]);
  });

  test("names lines that are no records and reads on", async () => {
    const items = await read('a,b\n1,2\n1,2,3\nq"q,1\n5,6\n');
    expect(items.map((item) => [item.line, "values" in item])).toEqual([
      [2, true],
      [3, false],
      [4, false],
      [5, true],
    ]);
  });

  test.each([10, 200_000])("says from which line on an open quote hides %i rows", async (rows) => {
    const items = await read(`a,b\n1,2\n5,"6\n${"7,8 and more\n".repeat(rows)}`);
    expect(items).toEqual([
      { line: 2, values: { a: "1", b: "2" } },
      { line: 3, message: expect.stringContaining("nothing from line 3 to the end of the file was read") },
    ]);
  });

  test("shows an empty file's header, and throws what the header check throws", async () => {
    const onHeader = (columns: readonly string[]) => {
      throw new Error(`columns: ${columns.length}`);
    };
    await expect(read("", { onHeader })).rejects.toThrow("columns: 0");
    await expect(read("a,b\n1,2\n", { onHeader })).rejects.toThrow("columns: 2");
  });

  test("throws when the gzip stream is cut off", async () => {
    await expect(read(gzipSync("a,b\n1,2\n").subarray(0, 20))).rejects.toThrow("unexpected end of file");
  });

  test("passes on a failing source", async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from("a,b\n1,2\n");
        throw new Error("disk gone");
      })(),
    );
    await expect(async () => {
      for await (const _ of readCsv(failing));
    }).rejects.toThrow("disk gone");
  });
});
