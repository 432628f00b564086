// The list of crates that cargo-auditable links into a program: JSON under zlib, in a section called `.dep-v0`.
// github.com/rust-secure-code/cargo-auditable, PARSING.md and cargo-auditable.schema.json.
import { inflateSync } from 'node:zlib'
import { messageOf } from '../../../kit/errors.ts'
import type { Fact } from '../../extractor.ts'
import { isIdentity } from '../../text/identity.ts'

export const sectionName = '.dep-v0'
/** Compressed and inflated: the largest real lists have some hundred KiB. */
export const maxAuditBytes = 8 * 1024 * 1024
const mostCrates = 100_000
const registry = 'crates.io'

interface Crate {
  name: string
  version: string
  source: string
  isBuild: boolean
  isRoot: boolean
}

/** In: the section's bytes. Out: the crates that are in the program; those that only built it are left out. */
export function cratesOf(section: Buffer): Fact[] {
  const parsed = parse(section)
  if (typeof parsed === 'string') return [unreadable(parsed)]
  const crates = parsed.map(crateOf)
  if (crates.some((crate) => crate === undefined)) return [unreadable('a crate without a name or version')]
  return crates.flatMap((crate) => (crate === undefined || crate.isBuild ? [] : [{ package: packageOf(crate) }]))
}

function unreadable(why: string): Fact {
  return { unsupported: { kind: `Rust program whose list of crates can't be read (${why.slice(0, 100)})`, component: true } }
}

function parse(section: Buffer): unknown[] | string {
  try {
    const json: unknown = JSON.parse(inflateSync(section, { maxOutputLength: maxAuditBytes }).toString('utf8'))
    const list =
      typeof json === 'object' && json !== null && Object.hasOwn(json, 'packages') ? (json as { packages: unknown }).packages : undefined
    if (!Array.isArray(list)) return 'no list of packages'
    return list.length > mostCrates ? `more than ${mostCrates} crates` : (list as unknown[])
  } catch (error) {
    return messageOf(error)
  }
}

function crateOf(entry: unknown): Crate | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  const { name, version, source, kind, root } = entry as Record<string, unknown>
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  return { name, version, source: isIdentity(source) ? source : 'unknown', isBuild: kind === 'build', isRoot: root === true }
}

/** What does not come from the registry may only be called like a crate there: that stays with it. */
function packageOf({ name, version, source, isRoot }: Crate): Extract<Fact, { package: unknown }>['package'] {
  const origin = isRoot ? 'local' : source
  return { kind: 'cargo', name, version, ...(origin !== registry && { qualifiers: { source: origin } }) }
}
