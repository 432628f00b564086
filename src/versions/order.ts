/** How one version stands to another. `unknown`: at least one of them is no version of that world. */
export type Order = -1 | 0 | 1 | 'unknown'

/** The order of one ecosystem. It never throws, and takes time in proportion to the texts' lengths. */
export type Compare = (a: string, b: string) => Order

/** Longer than any real one (the longest of PyPI's and Debian's have fewer than 130 characters). */
export const maxVersionLength = 512

export function isTooLong(a: string, b: string): boolean {
  return a.length > maxVersionLength || b.length > maxVersionLength
}
