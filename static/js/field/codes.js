// Mark codes, as marking/codes.py reads them: eleven random characters and one check character over GF(32).

export const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const RANDOM_LENGTH = 11;
export const CODE_LENGTH = RANDOM_LENGTH + 1;
export const RANDOM_BITS = 5n * BigInt(RANDOM_LENGTH);

const VALUE = new Map([...ALPHABET].map((character, value) => [character, value]));
const DOUBLED = Array.from({ length: 32 }, (_, value) => (value << 1) ^ (value & 0b10000 ? 0b100101 : 0));
// What people and keyboards write instead: I, L and O; Cyrillic letters that look like Latin ones.
const READ_AS = new Map([..."ILOАВСЕНКМОРТХУ"].map((letter, place) => [letter, "110ABCEHKM0PTXY"[place]]));
// Signs between groups: white space, hyphens and dashes of every kind.
const BETWEEN = new Set(
  " \t\r\n\v\f\u00a0\u2007\u2009\u202f\u200b\ufeff-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212",
);

// `fault` says what is wrong: empty, character (then `character` is the first wrong one), length (then `length`), check.
export class CodeError extends Error {
  constructor(fault, { character = "", length = 0 } = {}) {
    super(fault);
    Object.assign(this, { fault, character, length });
  }
}

export function checkCharacter(characters) {
  let q = 0;
  for (const character of characters) q = DOUBLED[q ^ VALUE.get(character)];
  return ALPHABET[q];
}

export function parse(text) {
  const folded = [...text.toUpperCase()]
    .filter((character) => !BETWEEN.has(character))
    .map((character) => READ_AS.get(character) ?? character);
  if (!folded.length) throw new CodeError("empty");
  const wrong = folded.find((character) => !VALUE.has(character));
  if (wrong !== undefined) throw new CodeError("character", { character: wrong });
  if (folded.length !== CODE_LENGTH) throw new CodeError("length", { length: folded.length });
  if (checkCharacter(folded.slice(0, -1)) !== folded.at(-1)) throw new CodeError("check");
  return folded.join("");
}

export function group(code) {
  return code.match(/.{1,4}/g)?.join("-") ?? "";
}

export function fromNumber(number) {
  let characters = "";
  for (let shift = RANDOM_BITS - 5n; shift >= 0n; shift -= 5n) characters += ALPHABET[Number((number >> shift) & 31n)];
  return characters + checkCharacter(characters);
}
