import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { baseOf } from '../tar/paths.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { isPretended } from '../text/pretended.ts'
import { bundledApplications } from './erlang/applications.ts'
import { atomOf, termsOf, tupleOf, valueOf } from './erlang/terms.ts'
import type { Term } from './erlang/terms.ts'

const application = /(?:^|\/)ebin\/[^/]+\.app$/
const metadata = /(?:^|\/)hex_metadata\.config$/
const otpVersion = /(?:^|\/)releases\/\d{1,3}\/OTP_VERSION$/
const archive = /(?:^|\/)([a-z]\w*)-(\d[^/]*)\.ez$/
const maxNames = 1000

/**
 * What runs on the Erlang machine: applications, Erlang's and Elixir's alike, by `ebin/NAME.app`, which the machine itself
 * reads; packages as Hex unpacked them, by `hex_metadata.config`; and the release of Erlang/OTP. An application does not say
 * where it came from: one that is not of OTP or Elixir is taken for the package of Hex of its name, and evidence says that.
 * Erlang, app(5); Elixir, `mix release`; hexpm/specifications, package_metadata.md. Archives (`.ez`) are named, not opened.
 */
export const erlang = {
  name: 'erlang',
  version: 1,
  maxBytes: 4 * 1024 * 1024,
  wants: (path) => /(?:\.app|\.config|_VERSION|\.ez)$/.test(path) && isWanted(path),
  *extract({ path, bytes }): Generator<Fact> {
    const [, name, version] = archive.exec(path) ?? []
    if (name !== undefined) yield unread(`${name} ${version} in an archive (.ez)`)
    else if (otpVersion.test(path)) yield* releaseOf(bytes)
    else yield factOf(path, bytes)
  },
} satisfies Extractor

function isWanted(path: string): boolean {
  if (application.test(path) || metadata.test(path)) return !isPretended(insideOf(path))
  return otpVersion.test(path) || archive.test(path)
}

/** The folders below the root of the application that comes first in a path: `lib/NAME/…`, `deps/NAME/…`. */
function insideOf(path: string): string[] {
  const folders = path.split('/').slice(0, -1)
  const root = folders.findIndex((folder) => folder === 'lib' || folder === 'deps' || folder === 'plugins')
  return root < 0 ? [] : folders.slice(root + 2)
}

function* releaseOf(bytes: Buffer): Generator<Fact> {
  const version = bytes.toString('latin1', 0, 64).trim().replace(/\*\*$/, '')
  if (/^\d+(?:\.\d+)*(?:-rc\d+)?$/.test(version)) yield { package: { kind: 'program', name: 'erlang', version } }
  else yield unread('Erlang/OTP of a version that is not said')
}

/** A file that Erlang could not read is an application that can't be started: it is named, with what is wrong. */
function factOf(path: string, bytes: Buffer): Fact {
  try {
    const terms = termsOf(bytes)
    const found = metadata.test(path) ? packageOfHex(terms) : packageOfApplication(terms)
    return found === undefined ? unread(`${wordFor(path)} of a version that is not said`) : { package: found }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return unread(`${wordFor(path)}, ${messageOf(error)}`)
  }
}

/** `{application, NAME, [{vsn, "1.0"}, {applications, [kernel, cowboy]} …]}`. */
function packageOfApplication(terms: Term[]): Package | undefined {
  const [kind, title, fields] = tupleOf(terms[0])
  const name = atomOf(title)
  const version = valueOf(fields, 'vsn')
  if (atomOf(kind) !== 'application' || !isIdentity(name) || !isIdentity(version)) return undefined
  const isBundled = bundledApplications.has(name)
  const requires = ['applications', 'included_applications'].flatMap((key) => namesIn(valueOf(fields, key)))
  return {
    kind: isBundled ? 'otp' : 'hex',
    name,
    version,
    ...(isBundled && { licence: 'Apache-2.0' }),
    ...(requires.length > 0 && !isBundled && { requires }),
  }
}

/** `{<<"name">>,<<"cowboy">>}.` and so on, a term a line. */
function packageOfHex(terms: Term[]): Package | undefined {
  const [name, version] = [valueOf(terms, 'name'), valueOf(terms, 'version')]
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const licences = valueOf(terms, 'licenses')
  const texts = Array.isArray(licences) ? licences.filter((text) => typeof text === 'string') : []
  const licence = shortText(texts.slice(0, 20).join(' OR '))
  return { kind: 'hex', name, version, ...(licence !== undefined && { licence }) }
}

/** Without those of OTP, which no package of Hex is. */
function namesIn(term: Term | undefined): string[] {
  const names = Array.isArray(term) ? term.slice(0, maxNames).flatMap((one) => atomOf(one) ?? []) : []
  return names.filter((name) => isIdentity(name) && !bundledApplications.has(name))
}

function unread(name: string): Fact {
  return { unsupported: { kind: 'erlang', component: true, name } }
}

function wordFor(path: string): string {
  const base = baseOf(path).replace(/\.app$/, '')
  return (metadata.test(path) ? (path.split('/').at(-2) ?? 'a package') : base).replaceAll(/[^\w.@+-]/g, '?').slice(0, 100)
}
