/** Looks at a value and tells what is wrong with it, by its place: `/models/3/pricing/input`. */
export type Check = (value: unknown, place: string, tell: (place: string, problem: string) => void) => void;

type Members = Readonly<Record<string, Check>>;
type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** These members and no others. */
export const object =
  (required: Members, optional: Members = {}): Check =>
  (value, place, tell) => {
    if (!isObject(value)) return tell(place, 'is not an object');
    const checks: Members = { ...required, ...optional };
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(checks, name)) tell(`${place}/${name.slice(0, 100)}`, 'is unknown');
    }
    for (const [name, check] of Object.entries(checks)) {
      if (Object.hasOwn(value, name)) check(value[name], `${place}/${name}`, tell);
      else if (Object.hasOwn(required, name)) tell(`${place}/${name}`, 'is missing');
    }
  };

export const list =
  (item: Check, { min = 0, max }: { min?: number; max: number }): Check =>
  (value, place, tell) => {
    if (!Array.isArray(value)) return tell(place, 'is not a list');
    if (value.length < min || value.length > max) return tell(place, `has ${value.length} members instead of ${min} to ${max}`);
    value.forEach((each, index) => item(each, `${place}/${index}`, tell));
  };

/** Any names of a form. */
export const map =
  (member: Check, { name, max }: { name: RegExp; max: number }): Check =>
  (value, place, tell) => {
    if (!isObject(value)) return tell(place, 'is not an object');
    const entries = Object.entries(value);
    if (entries.length > max) return tell(place, `has more than ${max} members`);
    for (const [key, each] of entries) {
      if (name.test(key)) member(each, `${place}/${key}`, tell);
      else tell(`${place}/${key.slice(0, 100)}`, 'is no name that can be used here');
    }
  };

export const text =
  ({ min = 0, max, form, what = 'of the wrong form' }: { min?: number; max: number; form?: RegExp; what?: string }): Check =>
  (value, place, tell) => {
    if (typeof value !== 'string') tell(place, 'is not a text');
    else if (value.length < min || value.length > max) tell(place, `has ${value.length} characters instead of ${min} to ${max}`);
    else if (form && !form.test(value)) tell(place, `is ${what}`);
  };

export const number =
  ({
    min = -Number.MAX_VALUE,
    max = Number.MAX_VALUE,
    whole = false,
  }: { min?: number; max?: number; whole?: boolean } = {}): Check =>
  (value, place, tell) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) tell(place, 'is not a number');
    else if (whole && !Number.isSafeInteger(value)) tell(place, 'is not a whole number');
    else if (value < min || value > max) tell(place, `is not between ${min} and ${max}`);
  };

export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value, place, tell) => {
    if (!values.includes(value)) tell(place, `is none of ${values.map((each) => JSON.stringify(each)).join(', ')}`);
  };

/** By the value of one member. */
export const variant =
  (tag: string, variants: Readonly<Record<string, Check>>): Check =>
  (value, place, tell) => {
    const kind = isObject(value) ? value[tag] : undefined;
    const check = typeof kind === 'string' && Object.hasOwn(variants, kind) ? variants[kind] : undefined;
    if (check) check(value, place, tell);
    else tell(`${place}/${tag}`, `is none of ${Object.keys(variants).join(', ')}`);
  };

export const either =
  (first: Check, ...others: readonly Check[]): Check =>
  (value, place, tell) => {
    const passes = (check: Check): boolean => {
      let good = true;
      check(value, place, () => (good = false));
      return good;
    };
    if (![first, ...others].some(passes)) first(value, place, tell);
  };
