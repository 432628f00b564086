import type { OsRelease } from '../../model/layer.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import { shortText } from '../text/identity.ts'
import { linesOf } from '../text/lines.ts'
import { proseReleaseOf } from './release/prose.ts'

const assignment = /^\s*([A-Z][A-Z0-9_]*)=(.*)$/
const maxLineBytes = 4096

/** Files of older or smaller distributions that say a name and a version in a line of prose. */
const prose = /^etc\/(?:redhat|centos|fedora|oracle|almalinux|rocky|mageia|system|SuSE|photon|mariner|azurelinux|arch)-release$/
const osRelease: ReadonlySet<string> = new Set(['etc/os-release', 'usr/lib/os-release'])
const lsbRelease: ReadonlySet<string> = new Set(['etc/lsb-release', 'etc/openwrt_release'])

/**
 * Which distribution this is. `/etc/os-release` is mostly a link to the other; both are read, and squashing takes the
 * first that is there, and only without either what older files say. os-release(5): assignments as a shell reads them,
 * nothing expanded; lsb_release(1) has its own names for the same.
 */
export const release = {
  name: 'release',
  version: 2,
  maxBytes: 1024 * 1024,
  wants: (path) => path.includes('release') && (osRelease.has(path) || lsbRelease.has(path) || prose.test(path)),
  *extract(file): Generator<Fact> {
    const found = readRelease(file)
    if (found !== undefined) yield { release: found }
    else if (osRelease.has(file.path)) yield { problem: 'no ID that can be read' }
  },
} satisfies Extractor

function readRelease({ path, bytes }: WantedFile): OsRelease | undefined {
  if (osRelease.has(path)) return releaseOf(assignmentsOf(bytes))
  if (lsbRelease.has(path)) return lsbReleaseOf(assignmentsOf(bytes))
  return proseReleaseOf(path, bytes.toString('utf8', 0, maxLineBytes))
}

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

/** Ubuntu, Photon and OpenWrt write these. */
function lsbReleaseOf(values: Map<string, string>): OsRelease | undefined {
  const id = values
    .get('DISTRIB_ID')
    ?.toLowerCase()
    .replace(/^vmware photon.*$/, 'photon')
  const versionId = values.get('DISTRIB_RELEASE')
  const codename = shortText(values.get('DISTRIB_CODENAME'))
  const prettyName = shortText(values.get('DISTRIB_DESCRIPTION'))
  if (id === undefined || !isWord(id)) return undefined
  return {
    id,
    ...(versionId !== undefined && isWord(versionId) && { versionId }),
    idLike: [],
    ...(codename !== undefined && { codename }),
    ...(prettyName !== undefined && { prettyName }),
  }
}

function isWord(text: string): boolean {
  return /^[A-Za-z0-9._~+-]{1,128}$/.test(text)
}
