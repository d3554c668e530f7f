// Asks the agent on this host. Reads lines of `NAME TYPE`, and prints what there is for each.
// `dns.lookup`, which `http.request` uses, asks the system instead: set that up, or give this resolver's answers as `lookup`.
import { Resolver } from "node:dns/promises";
import { createInterface } from "node:readline";

const resolver = new Resolver();
resolver.setServers(["127.0.0.1:8753"]);

const text = (record) => (record.name ? `${record.priority} ${record.weight} ${record.port} ${record.name}` : record);
const why = { ENODATA: "NODATA", ENOTFOUND: "NXDOMAIN" };

for await (const line of createInterface({ input: process.stdin })) {
  const [name, kind] = line.split(" ");
  try {
    console.log((await resolver.resolve(name, kind)).map(text).join("\t"));
  } catch (error) {
    console.log(why[error.code] ?? error.message);
  }
}
