import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'

const ending = '/package.json'
/** The folder right under the last `node_modules`, or under a scope there: a package's own root, and no fixture inside it. */
const packageRoot = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/

/** A scope has a name after it. What npm refuses besides, old packages have. */
const npmName = /^(?:@[^/]+\/)?[^/@][^/]*$/

/** Packages as npm, yarn, pnpm and bun unpack them. A package.json without a name or a version is no package. */
export const npm = {
  name: 'npm',
  version: 1,
  maxBytes: 4 * 1024 * 1024,
  wants: (path) => path.endsWith(ending) && packageRoot.test(path),
  *extract(file): Generator<Fact> {
    const json = parseObject(file.bytes)
    if (json instanceof Error) {
      yield { problem: `not a JSON object: ${messageOf(json).slice(0, 100)}` }
      return
    }
    const found = packageOf(json)
    if (found === undefined) return
    yield npmName.test(found.name) ? { package: found } : { problem: 'a name that no package can have' }
  },
} satisfies Extractor

/** Only own keys are read off it, so that a `__proto__` in the file is a key like any. */
function parseObject(bytes: Buffer): Record<string, unknown> | Error {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''))
    return isObject(json) ? json : new Error('another type')
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function packageOf(json: Record<string, unknown>): Package | undefined {
  const name = own(json, 'name')
  const version = own(json, 'version')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const licence = licenceOf(json)
  return { kind: 'npm', name, version, ...(licence !== undefined && { licence }) }
}

/** `license` as a text, as npm once allowed `{type}`, and `licenses: [{type}]`. */
function licenceOf(json: Record<string, unknown>): string | undefined {
  const many = own(json, 'licenses')
  const claims = [own(json, 'license'), ...(Array.isArray(many) ? (many as unknown[]).slice(0, 20) : [many])]
  const names = claims.map((claim) => (isObject(claim) ? own(claim, 'type') : claim)).filter((claim) => typeof claim === 'string')
  return shortText(names.join(' OR '))
}

function own(json: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(json, key) ? json[key] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
