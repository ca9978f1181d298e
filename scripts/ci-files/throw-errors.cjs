/**
 * Calls what packages export with arguments that they do not take, and prints the stacks of the errors, as a test run
 * does that fails: node throw-errors.cjs PACKAGE…
 */
const ARGUMENTS = [[], [null], [undefined, 1], [{}], ["text", {}], [42, null], [[], "x"]];
const DEPTH_MAX = 3;

const seen = new Set();

function report(name, error) {
  if (error instanceof Error) console.log(`FAIL ${name}\n\n${error.stack}\n`);
}

function call(name, value) {
  for (const values of ARGUMENTS) {
    try {
      const result = value(...values);
      if (typeof result?.then === "function") result.then(undefined, (error) => report(name, error));
    } catch (error) {
      report(name, error);
    }
  }
}

function visit(name, value, depth) {
  if (value === null || seen.has(value) || (typeof value !== "function" && typeof value !== "object")) return;
  seen.add(value);
  if (typeof value === "function") call(name, value);
  if (depth === DEPTH_MAX) return;
  for (const key of Object.getOwnPropertyNames(value)) {
    if (["caller", "callee", "arguments"].includes(key)) continue;
    let part;
    try {
      part = value[key];
    } catch (error) {
      report(`${name}.${key}`, error);
    }
    if (part !== undefined) visit(`${name}.${key}`, part, depth + 1);
  }
}

for (const name of process.argv.slice(2)) visit(name, require(name), 0);
