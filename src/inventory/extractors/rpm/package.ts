import type { Package } from '../../../model/package.ts'
import { joinPath, normalisePath } from '../../tar/paths.ts'
import { isIdentity, shortText } from '../../text/identity.ts'
import type { Header } from './header.ts'

/** rpm, include/rpm/rpmtag.h. */
const tag = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  installTime: 1008,
  vendor: 1011,
  licence: 1014,
  arch: 1022,
  oldFileNames: 1027,
  sourceRpm: 1044,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  modularityLabel: 5096,
}

/** A package, and the file name of its source package, which says no epoch. */
export interface RpmPackage {
  package: Package
  epoch: number
  sourceRpm?: string
}

/**
 * In: a header of the database. Out: its package; undefined for a public key, which rpm keeps among the packages.
 * Throws RangeError where it has no name, version or release that can be one, or its files can not be read.
 */
export function packageOf(header: Header, budget: PathBudget): RpmPackage | undefined {
  const name = header.text(tag.name)
  const sourceRpm = presentText(header, tag.sourceRpm)
  if (name === 'gpg-pubkey' && sourceRpm === undefined) return undefined
  const version = header.text(tag.version)
  const release = header.text(tag.release)
  if (!isIdentity(name)) throw new RangeError('a package without a name that can be one')
  if (!isIdentity(version) || !isIdentity(release)) throw new RangeError(`${name} has no version and release that can be ones`)
  const epoch = header.numbers(tag.epoch)[0] ?? 0
  const pack: Package = {
    kind: 'rpm',
    name,
    version: withEpoch(epoch, `${version}-${release}`),
    ...textFact('architecture', presentText(header, tag.arch)),
    ...textFact('licence', presentText(header, tag.licence)),
    ...textFact('vendor', presentText(header, tag.vendor)),
    ...textFact('modularity', presentText(header, tag.modularityLabel)),
    ...installedAt(header),
  }
  const ownedFiles = filesOf(header, budget)
  if (ownedFiles.length > 0) pack.ownedFiles = ownedFiles
  return { package: pack, epoch, ...(sourceRpm !== undefined && { sourceRpm }) }
}

/** In: an epoch, 0 for none, and the rest. Out: as rpm and advisories spell it. */
export function withEpoch(epoch: number, version: string): string {
  return epoch === 0 ? version : `${epoch}:${version}`
}

/** `bash-5.1.8-6.el9.src.rpm` → bash, 5.1.8-6.el9. Out: undefined where it is no such name. */
export function sourceOf(fileName: string): { name: string; version: string } | undefined {
  const match = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(fileName)
  if (match === null || !isIdentity(match[1]) || !isIdentity(match[2])) return undefined
  return { name: match[1], version: match[2] }
}

/** `(none)` is how rpm prints that there is none, and some builders stored that. */
function presentText(header: Header, of: number): string | undefined {
  const text = shortText(header.text(of))
  return text === '(none)' ? undefined : text
}

function textFact<K extends string>(key: K, text: string | undefined): Partial<Record<K, string>> {
  return text === undefined ? {} : ({ [key]: text } as Record<K, string>)
}

function installedAt(header: Header): { installedAt?: string } {
  const seconds = header.numbers(tag.installTime)[0]
  return seconds === undefined || seconds === 0 ? {} : { installedAt: new Date(seconds * 1000).toISOString() }
}

/** Few long folders and many short names make paths of any length out of a small file: they are counted. */
export class PathBudget {
  #chars: number

  constructor(chars: number) {
    this.#chars = chars
  }

  /** Throws RangeError when it is used up. */
  spend(path: string): string {
    this.#chars -= path.length
    if (this.#chars < 0) throw new RangeError('it names more files than are kept')
    return path
  }
}

/** Its files: a name and the number of its folder each; packages built before 2000 have whole paths. */
function filesOf(header: Header, budget: PathBudget): string[] {
  const paths: string[] = []
  if (!header.has(tag.baseNames)) {
    for (const path of header.texts(tag.oldFileNames)) if (normalisePath(path) !== '') paths.push(budget.spend(normalisePath(path)))
    return paths
  }
  const folders = Array.from(header.texts(tag.dirNames), normalisePath)
  const indexes = header.numbers(tag.dirIndexes)
  let at = 0
  for (const name of header.texts(tag.baseNames)) {
    const folder = folders[indexes[at++] ?? folders.length]
    if (folder === undefined) throw new RangeError(`file ${at} is in no folder of the package`)
    if (name === '') continue
    paths.push(budget.spend(joinPath(folder, normalisePath(name))))
  }
  return paths
}
