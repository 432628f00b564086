// Steps that the orders share. All work on character codes and positions, so that comparing allocates next to nothing.

const zero = 48
const nine = 57

export function isDigit(code: number): boolean {
  return code >= zero && code <= nine
}

export function isLower(code: number): boolean {
  return code >= 97 && code <= 122
}

export function isLetter(code: number): boolean {
  return isLower(code | 32)
}

/** In: text and a position. Out: the position after the digits that start there (the same where none do). */
export function endOfDigits(text: string, from: number): number {
  let at = from
  while (at < text.length && isDigit(text.charCodeAt(at))) at++
  return at
}

/** Two runs of decimal digits as numbers of any size; an empty run is zero. */
export function compareNumbers(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): -1 | 0 | 1 {
  while (aFrom < aTo && a.charCodeAt(aFrom) === zero) aFrom++
  while (bFrom < bTo && b.charCodeAt(bFrom) === zero) bFrom++
  if (aTo - aFrom !== bTo - bFrom) return aTo - aFrom < bTo - bFrom ? -1 : 1
  return compareText(a, aFrom, aTo, b, bFrom, bTo)
}

/** Two pieces of text by character code; where one starts the other, the shorter comes first. */
export function compareText(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): -1 | 0 | 1 {
  for (; aFrom < aTo && bFrom < bTo; aFrom++, bFrom++) {
    const difference = a.charCodeAt(aFrom) - b.charCodeAt(bFrom)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  if (aFrom < aTo) return 1
  return bFrom < bTo ? -1 : 0
}
