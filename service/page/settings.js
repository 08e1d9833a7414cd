// The question in the fragment of the address, which a browser never sends: #data=known&mode=target&target=x
//
// data: a demo, by name; mode: pair | target | pairs; x, y: columns of a pair; target; columns: those against the
// target or among all pairs (none named: all); unit: nats | bits.

const ONE = { data: null, mode: ["pair", "target", "pairs"], target: null, unit: ["nats", "bits"] };
const MANY = ["x", "y", "columns"];
const LONGEST = 6000; // characters; longer lists of columns are left out

/** What a fragment says; what it does not say, or says wrongly, is not there. */
export function read(fragment) {
  const said = new URLSearchParams(fragment.replace(/^#/, ""));
  const found = {};
  for (const [name, allowed] of Object.entries(ONE)) {
    const value = said.get(name);
    if (value !== null && (!allowed || allowed.includes(value))) found[name] = value;
  }
  for (const name of MANY) if (said.has(name)) found[name] = said.getAll(name);
  return found;
}

/** The fragment of a question. */
export function written({ data, mode, unit, x, y, target, columns }) {
  const said = new URLSearchParams();
  if (data) said.set("data", data);
  said.set("mode", mode);
  if (mode === "pair") for (const [side, names] of [["x", x], ["y", y]]) for (const name of names) said.append(side, name);
  if (mode === "target") said.set("target", target);
  if (mode !== "pair") for (const name of columns ?? []) said.append("columns", name);
  if (unit !== "nats") said.set("unit", unit);
  if (said.toString().length > LONGEST) said.delete("columns");
  return `#${said}`;
}
