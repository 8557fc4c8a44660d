import { lookup } from "node:dns/promises";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import ipaddr from "ipaddr.js";

export interface OpenUrlOptions {
  /** True: also addresses of this machine and of private networks. */
  readonly allowPrivate: boolean;
  readonly signal?: AbortSignal;
}

/** The address cannot or may not be read; the message says why. */
export class UnreadableUrl extends Error {
  override name = "UnreadableUrl";
}

const REDIRECTS = 3;
/** Milliseconds without a byte. */
const IDLE_TIMEOUT = 30_000;

/**
 * Opens a file on the web as a stream. Only http and https, also after redirects. The host's address is checked and then
 * connected to by number, so that a name which resolves differently the second time cannot lead elsewhere.
 *
 * @throws UnreadableUrl
 */
export async function openCsvUrl(address: string, { allowPrivate, signal }: OpenUrlOptions): Promise<Readable> {
  let url = parseUrl(address);
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const response = await request(url, await resolve(url, allowPrivate), signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (statusCode < 300 || statusCode >= 400 || headers.location === undefined)
      throw new UnreadableUrl(`${url.href} answers with status ${statusCode}; it has to answer 200`);
    url = parseUrl(headers.location, url);
  }
  throw new UnreadableUrl(`${address} redirects more than ${REDIRECTS} times`);
}

function parseUrl(address: string, base?: URL): URL {
  const url = URL.parse(address, base?.href);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new UnreadableUrl(`"${address.slice(0, 200)}" is not an http or https address`);
  return url;
}

/** The number to connect to. Every address the name has must be allowed: which one is used is not ours to choose. */
async function resolve(url: URL, allowPrivate: boolean): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const found = isIP(host)
    ? [host]
    : await lookup(host, { all: true }).then(
        (addresses) => addresses.map(({ address }) => address),
        () => [],
      );
  const [first] = found;
  if (first === undefined) throw new UnreadableUrl(`The host ${host} is not known`);
  const refused = allowPrivate ? undefined : found.find((address) => !isPublic(address));
  if (refused !== undefined)
    throw new UnreadableUrl(
      `${host} is ${refused}, which is not a public address: this server listens beyond its own machine and does not read from private networks. Send the file as csv_file`,
    );
  return first;
}

/** False for loopback, private, link-local and all other special ranges, also when written as IPv4 in IPv6. */
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}

function request(url: URL, address: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new UnreadableUrl(`Cannot read ${url.href}: ${error.message}`));
    const sent = (secure ? https : http).get(
      {
        host: address,
        port: url.port || (secure ? 443 : 80),
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, accept: "text/csv, */*", "accept-encoding": "identity" },
        timeout: IDLE_TIMEOUT,
        agent: false,
        ...(secure && !isIP(url.hostname) ? { servername: url.hostname } : {}),
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    sent.on("timeout", () => sent.destroy(new Error(`nothing came for ${IDLE_TIMEOUT / 1000} seconds`)));
    sent.on("error", failed);
  });
}
