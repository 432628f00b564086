import type { Fact, ReadContext } from '../form.ts'
import { dateOf } from '../fields.ts'

/**
 * What published jars are, by the SHA-1 of their bytes; text, one a line, blanks or tabs between. A note of the day may
 * stand first; else it is the day that the file was last changed:
 *
 *   # as of 2026-11-01
 *   0ce1edb914c94ebc388f086c6827e8bdeec71ac2 commons-lang commons-lang 2.6
 */
export const artifacts = {
  name: 'artifacts',
  recognisesText: (head: string): boolean => start.test(head),
  async *read(lines: AsyncIterable<string>, context: ReadContext): AsyncGenerator<Fact> {
    let { asOf } = context
    for await (const line of lines) {
      const text = line.trim()
      if (text.startsWith('#')) asOf = dateOf(/^# as of (\d{4}-\d\d-\d\d)$/.exec(text.slice(0, 40))?.[1], context.now) ?? asOf
      else if (text !== '') {
        const fact = artifactOf(text, asOf)
        if (typeof fact === 'string') context.drop(fact, JSON.stringify(text.slice(0, 60)))
        else yield fact
      }
    }
  },
}

const start = /^(?:#[^\n]{0,200}\n\s*){0,20}[0-9a-fA-F]{40}[ \t]+[\w.-]+[ \t]+[\w.-]+[ \t]+\S/
const row = /^([0-9a-fA-F]{40})[ \t]+([A-Za-z0-9_][\w.-]{0,255})[ \t]+([A-Za-z0-9_][\w.-]{0,255})[ \t]+([!-~]{1,256})$/

/** In: a line. Out: what it says, or why it says nothing. */
export function artifactOf(text: string, asOf: string): Fact | string {
  const [, sha1, group, artifact, version] = text.length > 1024 ? [] : (row.exec(text) ?? [])
  if (sha1 === undefined || version === undefined) return 'not a line of `sha1 group artifact version`'
  return { kind: 'artifact', sha1: sha1.toLowerCase(), name: `${group}:${artifact}`, version, asOf }
}
