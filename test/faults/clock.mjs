// Loaded into a process by `--import`: its clock jumps, as JUMPS says: [milliseconds until, milliseconds by] again and again.
const Real = Date;
let by = 0;
for (const [after, jump] of JSON.parse(process.env.JUMPS ?? '[]')) setTimeout(() => (by += jump), after).unref();
globalThis.Date = class extends Real {
  constructor(...values) {
    super(...(values.length > 0 ? values : [Real.now() + by]));
  }
  static now() {
    return Real.now() + by;
  }
};
