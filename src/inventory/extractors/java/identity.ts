import type { Package } from '../../../model/package.ts'
import type { Content } from '../../content/content.ts'
import { isIdentity } from '../../text/identity.ts'
import { ZipError } from '../../zip/directory.ts'
import type { ZipEntry } from '../../zip/directory.ts'
import { unpackWhole } from '../../zip/unpack.ts'
import { knownFile } from './known-files.ts'
import { knownModule } from './known-modules.ts'
import { licenceOfManifest, licenceOfPom } from './licences.ts'
import { LimitError, javaLimits } from './limits.ts'
import type { Cost } from './limits.ts'
import { parseManifest } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import { parsePom } from './pom.ts'
import type { Coordinates } from './pom.ts'
import { parseProperties } from './properties.ts'
import type { Descriptor, Survey } from './survey.ts'

/** What an archive is, by its own words; and who could not be told. */
export interface Identity {
  packages: Package[]
  /** Words for what is in it and can't be asked after: descriptors without a version. */
  unknown: string[]
  /** The same for the archive's own code, where nothing tells what it is. */
  unknownSelf?: string
  problems: string[]
}

/**
 * What says that a package is in an archive, the surest first:
 *
 *   META-INF/maven/G/A/pom.properties   each one, so all that was shaded in, under whatever name its classes go now
 *   META-INF/maven/G/A/pom.xml          where that has no such file, or a broken one
 *   META-INF/MANIFEST.MF                only modules whose coordinates are known (known-modules.ts): a group that is
 *                                       guessed from a title, a vendor or a bundle's name is wrong too often
 *   the file's name                     with the folders of its classes, for known projects (known-files.ts); else only as a
 *                                       word for what is unknown
 *
 * In: an archive, what stands in its directory, and its file name. An archive without classes of its own holds others, or
 * nothing: it is no package by itself, unless its manifest is that of a known one (a starter, which advisories name).
 */
export function identify(content: Content, survey: Survey, fileName: string, cost: Cost): Identity {
  const identity: Identity = { packages: [], unknown: [], problems: [] }
  const reader = new Reader(content, cost, identity.problems)
  const packages = new Map<string, Package>()
  for (const descriptor of survey.descriptors.values()) describe(descriptor, reader, packages, identity)
  const isNamed = namesItself(survey, fileName)
  identity.packages.push(...(isNamed ? withItsLicence([...packages.values()], survey, reader) : packages.values()))
  if (!isNamed) describeItself(survey, reader, fileName, identity)
  return identity
}

/** Where its pom leaves the licence to a parent, which is not here, the manifest of the one package in it may have it. */
function withItsLicence(packages: Package[], { manifest: entry }: Survey, reader: Reader): Package[] {
  const [only, ...others] = packages
  if (only === undefined || others.length > 0 || only.licence !== undefined || entry === undefined) return packages
  const licence = reader.glance(entry, javaLimits.descriptorBytes, (bytes) => licenceOfManifest(parseManifest(bytes)))
  return [licence === undefined ? only : { ...only, licence }]
}

/** Without a renaming, one of the descriptors is of the file itself; Quarkus puts the group before the name. */
function namesItself({ descriptors }: Survey, fileName: string): boolean {
  const isOf = (name: string) => fileName.startsWith(`${name}-`) || fileName.startsWith(`${name}.`)
  return descriptors.values().some(({ group, artifact }) => isOf(artifact) || isOf(`${group}.${artifact}`))
}

/** Maven leaves a descriptor of what it builds; in another's jar, all of them may be of what was put into it. */
function describeItself(
  { manifest: entry, descriptors, hasClasses, folders }: Survey,
  reader: Reader,
  fileName: string,
  identity: Identity,
): void {
  const manifest = entry && reader.read(entry, javaLimits.descriptorBytes, parseManifest)
  if (descriptors.size > 0 && manifest !== undefined && isOfMaven(manifest)) return
  const stated = manifest?.get('implementation-version')?.trim() || manifest?.get('bundle-version')?.trim() || ''
  const known = packageOf((manifest && knownModule(manifest, fileName)) ?? knownFile(fileName, folders, stated) ?? {})
  if (known !== undefined) identity.packages.push(known)
  else if (hasClasses) identity.unknownSelf = wordsFor(manifest, fileName)
}

function isOfMaven(manifest: Manifest): boolean {
  return /maven/i.test(manifest.get('created-by') ?? '') || manifest.has('archiver-version') || manifest.has('build-jdk-spec')
}

function describe(descriptor: Descriptor, reader: Reader, packages: Map<string, Package>, identity: Identity): void {
  const said = descriptor.properties.map((entry) =>
    reader.read(entry, javaLimits.propertiesBytes, (bytes) => fromProperties(parseProperties(bytes))),
  )
  const whole = said.flatMap((some) => some ?? []).flatMap((some) => packageOf(withPath(some, descriptor)) ?? [])
  const pack =
    whole.length > 0
      ? whole
      : descriptor.poms.flatMap(
          (entry) => packageOf(withPath(reader.read(entry, javaLimits.descriptorBytes, parsePom) ?? {}, descriptor)) ?? [],
        )
  const licence = descriptor.poms
    .map((entry) => reader.glance(entry, javaLimits.descriptorBytes, licenceOfPom))
    .find((one) => one !== undefined)
  for (const one of pack) packages.set(`${one.name}\n${one.version}`, licence === undefined ? one : { ...one, licence })
  if (pack.length === 0) identity.unknown.push(`${shown(descriptor.group)}:${shown(descriptor.artifact)} of a version that is not said`)
}

function fromProperties(properties: Map<string, string>): Coordinates {
  const [group, artifact, version] = ['groupId', 'artifactId', 'version'].map((key) => properties.get(key))
  return { ...(group && { group }), ...(artifact && { artifact }), ...(version && { version }) }
}

/** Maven itself makes the path from the coordinates. */
function withPath(said: Coordinates, { group, artifact }: Descriptor): Coordinates {
  return { group, artifact, ...said }
}

const coordinate = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/

/** Out: undefined where a part is missing, or is none that a repository can hold (`${revision}`). */
export function packageOf({ group, artifact, version }: Coordinates): Package | undefined {
  if (group === undefined || artifact === undefined || !isIdentity(version)) return undefined
  if (!coordinate.test(group) || !coordinate.test(artifact) || /[${}/\\:"<>|?*[\](),]/.test(version)) return undefined
  const name = `${group}:${artifact}`
  return isIdentity(name) ? { kind: 'maven', name, version } : undefined
}

/** Title and version of the manifest, else the file's name. */
function wordsFor(manifest: Manifest | undefined, fileName: string): string {
  const title = ['implementation-title', 'bundle-symbolicname', 'automatic-module-name', 'bundle-name', 'specification-title']
  const version = ['implementation-version', 'bundle-version', 'specification-version']
  const name = firstOf(manifest, title)?.replace(/;.*$/, '')
  const number = firstOf(manifest, version)
  if (name !== undefined && number !== undefined) return `${shown(name)} ${shown(number)} by its manifest`
  return `${shown(fileName)} by its name`
}

function firstOf(manifest: Manifest | undefined, names: string[]): string | undefined {
  return names.map((name) => manifest?.get(name)?.trim()).find((value) => value !== undefined && value !== '' && !value.includes('${'))
}

/** For people, on one line. */
export function shown(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
    .slice(0, 200)
    .toWellFormed()
}

/** Reads descriptors; one that can't be read is a problem, and says nothing. */
class Reader {
  readonly #content: Content
  readonly #cost: Cost
  readonly #problems: string[]

  constructor(content: Content, cost: Cost, problems: string[]) {
    this.#content = content
    this.#cost = cost
    this.#problems = problems
  }

  read<T>(entry: ZipEntry, mostBytes: number, parse: (bytes: Buffer) => T): T | undefined {
    return this.#unpack(entry, mostBytes, parse, this.#problems)
  }

  /** The same of what only adds a word: one that can't be read says nothing, and is no problem. */
  glance<T>(entry: ZipEntry, mostBytes: number, parse: (bytes: Buffer) => T): T | undefined {
    return this.#unpack(entry, mostBytes, parse, [])
  }

  #unpack<T>(entry: ZipEntry, mostBytes: number, parse: (bytes: Buffer) => T, problems: string[]): T | undefined {
    try {
      const bytes = unpackWhole(this.#content, entry, mostBytes)
      this.#cost.unpacked(bytes.length)
      return parse(bytes)
    } catch (error) {
      if (!(error instanceof ZipError) || error instanceof LimitError) throw error
      problems.push(`${shown(entry.name)} ${error.message}`)
      return undefined
    }
  }
}
