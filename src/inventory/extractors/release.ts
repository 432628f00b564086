import type { OsRelease } from '../../model/layer.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { shortText } from '../text/identity.ts'
import { linesOf } from '../text/lines.ts'

const assignment = /^\s*([A-Z][A-Z0-9_]*)=(.*)$/
const maxLineBytes = 4096

/**
 * Which distribution this is. `/etc/os-release` is mostly a link to the other; both are read, and squashing takes the
 * first that is there. os-release(5): assignments as a shell reads them, nothing expanded.
 */
export const release = {
  name: 'release',
  version: 1,
  maxBytes: 1024 * 1024,
  wants: (path) => path === 'etc/os-release' || path === 'usr/lib/os-release',
  *extract(file): Generator<Fact> {
    const found = releaseOf(assignmentsOf(file.bytes))
    yield found === undefined ? { problem: 'no ID that can be read' } : { release: found }
  },
} satisfies Extractor

function assignmentsOf(bytes: Buffer): Map<string, string> {
  const values = new Map<string, string>()
  for (const { start, end } of linesOf(bytes)) {
    const match = assignment.exec(bytes.toString('utf8', start, Math.min(end, start + maxLineBytes)))
    if (match !== null) values.set(match[1] ?? '', unquote((match[2] ?? '').trim()))
  }
  return values
}

/** A word of the shell: parts in single quotes as they stand, in double quotes with a backslash before `"`, `$`, `` ` `` and itself. */
function unquote(text: string): string {
  if (text.startsWith("'")) return text.slice(1).replace(/'.*$/s, '')
  if (text.startsWith('"')) return (/^"((?:[^"\\]|\\.)*)/s.exec(text)?.[1] ?? '').replaceAll(/\\(["$`\\])/g, '$1')
  return (/^(?:[^\s\\#"']|\\.)*/.exec(text)?.[0] ?? '').replaceAll(/\\(.)/g, '$1')
}

function releaseOf(values: Map<string, string>): OsRelease | undefined {
  const id = values.get('ID')?.toLowerCase()
  if (id === undefined || !isWord(id)) return undefined
  const versionId = values.get('VERSION_ID')
  const codename = shortText(values.get('VERSION_CODENAME'))
  const prettyName = shortText(values.get('PRETTY_NAME'))
  return {
    id,
    ...(versionId !== undefined && isWord(versionId) && { versionId }),
    idLike: (values.get('ID_LIKE') ?? '').toLowerCase().split(/\s+/).filter(isWord).slice(0, 20),
    ...(codename !== undefined && { codename }),
    ...(prettyName !== undefined && { prettyName }),
  }
}

function isWord(text: string): boolean {
  return /^[A-Za-z0-9._~+-]{1,128}$/.test(text)
}
