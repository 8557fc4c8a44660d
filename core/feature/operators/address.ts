import ipaddr from "ipaddr.js";
import type { Json } from "../../json.ts";
import { describe, listValue, type Operator } from "./operator.ts";

type Block = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** IPv4 and IPv6; an IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`) is compared as IPv4. */
export const address = {
  ip_in_cidr: {
    summary: "Is an IP address in one of these blocks",
    value: "a CIDR block or address, or a list of them",
    takes: "texts",
    compile(value) {
      const blocks = (typeof value === "string" ? [value] : listValue(value)).map(parseBlock);
      return (attribute) => {
        const found = typeof attribute === "string" ? parseAddress(attribute) : undefined;
        if (found === undefined) return false;
        for (const [network, bits] of blocks)
          if (network.kind() === found.kind() && found.match(network, bits)) return true;
        return false;
      };
    },
  },
} as const satisfies Record<string, Operator>;

/** Four-part decimal only: ipaddr.js also reads "10.1" and octal parts, which are not addresses people write. */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (text.length > 64) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const found = ipaddr.IPv6.parse(text);
  return found.isIPv4MappedAddress() ? found.toIPv4Address() : found;
}

function parseBlock(value: Json): Block {
  if (typeof value === "string") {
    const slash = value.indexOf("/");
    const network = parseAddress(slash === -1 ? value : value.slice(0, slash));
    const most = network?.kind() === "ipv4" ? 32 : 128;
    const bits = slash === -1 ? most : parseBits(value.slice(slash + 1));
    if (network !== undefined && bits !== undefined && bits <= most) return [network, bits];
  }
  throw new TypeError(`must be CIDR blocks such as "10.0.0.0/8" or "2001:db8::/32", found ${describe(value)}`);
}

function parseBits(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
