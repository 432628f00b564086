import type { Package } from '../../../model/package.ts'
import { isIdentity, shortText } from '../../text/identity.ts'
import { isObject, own } from '../../text/json.ts'
import type { JsonObject } from '../../text/json.ts'

/** A scope has a name after it. What npm refuses besides, old packages have. */
const npmName = /^(?:@[^/]+\/)?[^/@][^/]*$/

/** No package that was ever published needs a tenth of these. */
const maxNames = 5000

/**
 * In: a package.json. Out: the package; undefined where it has no name or no version, as what was never published has
 * not; a problem where the name is one that no package can have. docs.npmjs.com, "package.json".
 */
export function packageOf(json: JsonObject): Package | { problem: string } | undefined {
  const name = own(json, 'name')
  const version = own(json, 'version')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  if (!isNpmName(name)) return { problem: 'a name that no package can have' }
  const licence = licenceOf(json)
  const requires = namesIn(json, 'dependencies', 'optionalDependencies', 'peerDependencies')
  return { kind: 'npm', name, version, ...(licence !== undefined && { licence }), ...(requires.length > 0 && { requires }) }
}

/** In: a JSON object, and keys under which it may have an object. Out: the names that are keys there, each once. */
export function namesIn(json: JsonObject, ...keys: string[]): string[] {
  const names = new Set<string>()
  for (const key of keys) {
    const value = own(json, key)
    if (!isObject(value)) continue
    for (const name of Object.keys(value)) if (names.size < maxNames && isNpmName(name)) names.add(name)
  }
  return [...names]
}

export function isNpmName(text: unknown): text is string {
  return isIdentity(text) && npmName.test(text)
}

/** `license` as an SPDX text, as npm once allowed `{type}`, and `licenses: [{type}]`. */
function licenceOf(json: JsonObject): string | undefined {
  const many = own(json, 'licenses')
  const claims = [own(json, 'license'), ...(Array.isArray(many) ? (many as unknown[]).slice(0, 20) : [many])]
  const names = claims.map((claim) => (isObject(claim) ? own(claim, 'type') : claim)).filter((claim) => typeof claim === 'string')
  return shortText([...new Set(names)].join(' OR '))
}
