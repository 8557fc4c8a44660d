/**
 * The address for `pg`, which by itself checks certificates for `sslmode=require` too: `uselibpqcompat` has it read the
 * query as libpq and postgres.js do. An address that says nothing of TLS stays as it is.
 */
export function libpqUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const address = new URL(url);
  if (!address.searchParams.has("sslmode")) return url;
  address.searchParams.set("uselibpqcompat", "true");
  return address.href;
}
