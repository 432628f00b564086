/** One bound of a range: how a version must stand to another. */
export interface VersionBound {
  operator: '<' | '<=' | '>' | '>=' | '='
  version: string
}

const mostBounds = 4
const boundForm = /^(<=|>=|<|>|=|)\s*([^\s<>=,|]{1,200})$/

/** In: `<2.17`, `>=2.0,<2.17`, or a version alone. Out: bounds that must all hold; undefined where it is no range. */
export function parseVersionRange(text: string): VersionBound[] | undefined {
  const parts = text.split(',', mostBounds + 1).map((part) => boundForm.exec(part.trim()))
  const bounds = parts.flatMap((part) =>
    part === null ? [] : [{ operator: (part[1] === '' ? '=' : part[1]) as VersionBound['operator'], version: part[2] ?? '' }],
  )
  return bounds.length === parts.length && parts.length <= mostBounds ? bounds : undefined
}

/** In: how a version stands to a bound's. Out: whether it is within; `unknown` where they can't be compared. */
export function isWithin({ operator }: VersionBound, order: -1 | 0 | 1 | 'unknown'): boolean | 'unknown' {
  if (order === 'unknown') return 'unknown'
  if (order === 0) return operator.includes('=')
  return operator !== '=' && order === (operator.startsWith('<') ? -1 : 1)
}
