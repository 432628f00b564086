// Versions that are lists of whole numbers and nothing else, as R's and Haskell's are.
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, endOfDigits } from './text.ts'

/**
 * In: two versions, and the marks that may stand between two numbers. Out: their order number by number; where one list
 * starts the other, the longer comes later. `unknown` where one is anything else.
 */
export function compareDotted(a: string, b: string, marks: string): Order {
  if (isTooLong(a, b) || !isDotted(a, marks) || !isDotted(b, marks)) return 'unknown'
  let aAt = 0
  let bAt = 0
  while (aAt < a.length && bAt < b.length) {
    const aEnd = endOfDigits(a, aAt)
    const bEnd = endOfDigits(b, bAt)
    const order = compareNumbers(a, aAt, aEnd, b, bAt, bEnd)
    if (order !== 0) return order
    aAt = aEnd + 1
    bAt = bEnd + 1
  }
  return aAt < a.length ? 1 : bAt < b.length ? -1 : 0
}

function isDotted(text: string, marks: string): boolean {
  for (let at = 0; ; at++) {
    const end = endOfDigits(text, at)
    if (end === at) return false
    if (end === text.length) return true
    if (!marks.includes(text[end]!)) return false
    at = end
  }
}
