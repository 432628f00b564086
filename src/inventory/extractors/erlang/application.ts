import { messageOf } from '../../../kit/errors.ts'
import type { Package } from '../../../model/package.ts'
import type { Fact } from '../../extractor.ts'
import { baseOf } from '../../tar/paths.ts'
import { isIdentity, shortText } from '../../text/identity.ts'
import { bundledApplications } from './applications.ts'
import { atomOf, termsOf, tupleOf, valueOf } from './terms.ts'
import type { Term } from './terms.ts'

export const application = /(?:^|\/)ebin\/[^/]+\.app$/
export const metadata = /(?:^|\/)hex_metadata\.config$/
/** Real ones have some ten KiB: every module by name. */
export const mostApplicationBytes = 4 * 1024 * 1024
const maxNames = 1000

/** A file that Erlang could not read is an application that can't be started: it is named, with what is wrong. */
export function factOf(path: string, bytes: Buffer): Fact {
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

export function unread(name: string): Fact {
  return { unsupported: { kind: 'erlang', component: true, name } }
}

function wordFor(path: string): string {
  const base = baseOf(path).replace(/\.app$/, '')
  return (metadata.test(path) ? (path.split('/').at(-2) ?? 'a package') : base).replaceAll(/[^\w.@+-]/g, '?').slice(0, 100)
}
