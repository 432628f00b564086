import type { PreparedQuery } from './records.ts'

/** In all, over every statement: what a busy hour of pulls asks for, and no more memory than it is worth. */
const mostBytes = 16 << 20
const mostAnswers = 10_000
/** Should somebody write into the file by hand beside us, it counts from here on. */
const mostAgeMs = 1000

/**
 * Answers of prepared statements, kept until the next commit. For a store that this process alone writes to: a read that hits is
 * what the same read of the file would give, since whoever commits calls `forget` before its change counts as done.
 */
export interface RememberedAnswers {
  /** In: a statement that reads. Out: the same, whose `first` answers from memory where it can. Rows are shared: not to be changed. */
  over<Row>(query: SyncQuery<Row>): PreparedQuery<Row>
  /** To call between the commit and the moment that its writers are told. */
  forget(): void
}

export interface SyncQuery<Row> {
  first(...parameters: Parameter[]): Row | undefined
  all(...parameters: Parameter[]): Row[]
}

export type Parameter = string | number | null

export function createRememberedAnswers(now: () => number = Date.now): RememberedAnswers {
  const maps: Map<string, Promise<unknown>>[] = []
  let bytes = 0
  let answers = 0
  let since = now()

  function forget(): void {
    if (answers > 0) for (const map of maps) map.clear()
    bytes = 0
    answers = 0
    since = now()
  }

  function keep(map: Map<string, Promise<unknown>>, key: string, row: unknown, answer: Promise<unknown>): void {
    const size = key.length + bytesOf(row)
    if (size > mostBytes / 16) return
    if (answers >= mostAnswers || bytes + size > mostBytes) forget()
    map.set(key, answer)
    answers++
    bytes += size
  }

  function over<Row>(query: SyncQuery<Row>): PreparedQuery<Row> {
    const map = new Map<string, Promise<Row | undefined>>()
    maps.push(map)
    return {
      first(...parameters) {
        const at = now()
        if (at < since || at >= since + mostAgeMs) forget()
        const key = keyOf(parameters)
        const known = key === undefined ? undefined : map.get(key)
        if (known !== undefined) return known
        try {
          const row = Object.freeze(query.first(...parameters))
          const answer = Promise.resolve(row)
          if (key !== undefined) keep(map, key, row, answer)
          return answer
        } catch (error) {
          return Promise.reject(error as Error)
        }
      },
      all: async (...parameters) => query.all(...parameters),
    }
  }

  return { over, forget }
}

/** Out: undefined where two lists of parameters might have one key. */
function keyOf(parameters: readonly Parameter[]): string | undefined {
  if (parameters.length === 1 && typeof parameters[0] === 'string') return parameters[0]
  let key = ''
  for (const parameter of parameters) {
    if (parameter === null || (typeof parameter === 'string' && parameter.includes('\0'))) return undefined
    key += `${parameter}\0`
  }
  return key
}

/** About. */
function bytesOf(row: unknown): number {
  if (typeof row !== 'object' || row === null) return 64
  let bytes = 200
  for (const value of Object.values(row)) {
    if (typeof value === 'string') bytes += value.length
    else if (value instanceof Uint8Array) bytes += value.length
    else bytes += 8
  }
  return bytes
}
