import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { isObject, own, ownText, parseAny, parseObject, textsOf } from '../text/json.ts'
import type { JsonObject } from '../text/json.ts'

const installed = /(?:^|\/)composer\/installed\.json$/
const manifest = /(?:^|\/)composer\.json$/
const packageName = /^[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?\/[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?$/
const maxPackages = 100_000
const maxNames = 5000

/**
 * PHP packages as composer notes what it installed: since 2.0 an object with `packages` and the names that are for
 * development, before that a list. What the application asks for stands in its own `composer.json`.
 * getcomposer.org, "composer.json"; composer, `FilesystemRepository`.
 */
export const composer = {
  name: 'composer',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.endsWith('.json') && (installed.test(path) || (manifest.test(path) && !/(?:^|\/)vendor\//.test(path))),
  extract: (file) => (installed.test(file.path) ? packagesIn(file.bytes) : application(file.bytes)),
} satisfies Extractor

function* packagesIn(bytes: Buffer): Generator<Fact> {
  const json = parseAny(bytes)
  if (json instanceof Error) {
    yield { problem: `no JSON: ${messageOf(json).slice(0, 100)}` }
    return
  }
  const packages = isObject(json) ? own(json, 'packages') : json
  if (!Array.isArray(packages)) {
    yield { problem: 'no list of packages' }
    return
  }
  if (packages.length > maxPackages) throw new Error(`lists ${packages.length} packages, more than the ${maxPackages} that are read`)
  const dev = new Set(isObject(json) ? textsOf(own(json, 'dev-package-names'), maxPackages) : [])
  for (const [at, entry] of packages.entries()) yield factOf(entry, at, dev)
}

function factOf(entry: unknown, at: number, dev: ReadonlySet<string>): Fact {
  const found = isObject(entry) ? packageOf(entry) : undefined
  if (found === undefined) return { problem: `package ${at + 1}: no name or no version that can be read` }
  return { package: dev.has(found.name) ? { ...found, dev: true } : found }
}

function packageOf(entry: JsonObject): Package | undefined {
  const name = ownText(entry, 'name')?.toLowerCase()
  const version = own(entry, 'version')
  if (!isIdentity(name) || !packageName.test(name) || !isIdentity(version)) return undefined
  const licences = own(entry, 'license')
  const licence = shortText(typeof licences === 'string' ? licences : textsOf(licences, 20).join(' OR '))
  const requires = namesIn(own(entry, 'require'))
  const repository = repositoryOf(ownText(entry, 'notification-url'))
  return {
    kind: 'composer',
    name,
    version,
    ...(licence !== undefined && { licence }),
    ...(requires.length > 0 && { requires }),
    ...(repository !== undefined && { qualifiers: { repository_url: repository } }),
  }
}

/** Drupal's repositories have packages, and advisories, of their own. */
function repositoryOf(url: string | undefined): string | undefined {
  return /^https:\/\/packages\.drupal\.org\/\d{1,2}(?=\/)/.exec(url ?? '')?.[0]
}

/** Without PHP, its extensions and the libraries that it was built with: those have no slash. */
function namesIn(requirements: unknown): string[] {
  if (!isObject(requirements)) return []
  return Object.keys(requirements)
    .map((name) => name.toLowerCase())
    .filter((name) => name.length <= 1024 && packageName.test(name))
    .slice(0, maxNames)
}

/** Anyone may call a file so: one that is no JSON says nothing of what is installed. */
function* application(bytes: Buffer): Generator<Fact> {
  const json = parseObject(bytes)
  if (json instanceof Error) return
  const direct = namesIn(own(json, 'require'))
  const directDev = namesIn(own(json, 'require-dev'))
  if (direct.length + directDev.length > 0) yield { manifest: { kind: 'composer', direct, directDev } }
}
