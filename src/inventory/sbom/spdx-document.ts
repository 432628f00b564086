import { createHash } from 'node:crypto'
import { digestHex } from '../../model/digest.ts'
import type { OsRelease } from '../../model/layer.ts'
import type { ImagePackage } from '../../model/package.ts'
import { licenceAmong, purlWithSource } from './components.ts'
import type { SbomInput } from './cyclonedx.ts'
import { licencesOf, referencesIn } from './licences.ts'

const none = 'NOASSERTION'

interface SpdxPackage {
  SPDXID: string
  name: string
  versionInfo?: string
  summary?: string
  downloadLocation: string
  filesAnalyzed: false
  licenseConcluded: string
  licenseDeclared: string
  copyrightText: string
  primaryPackagePurpose: 'CONTAINER' | 'LIBRARY' | 'OPERATING_SYSTEM'
  supplier?: string
  sourceInfo?: string
  checksums?: { algorithm: 'SHA256' | 'SHA512'; checksumValue: string }[]
  externalRefs?: { referenceCategory: 'PACKAGE-MANAGER'; referenceType: 'purl'; referenceLocator: string }[]
}

interface LicenceText {
  licenseId: string
  extractedText: string
  name: string
}

/**
 * In: what is known of an image. Out: an SPDX 2.3 document, to be written as JSON: the image contains its packages, each once with
 * every place. The same image gives the same bytes where `createdAt` is the same; without one it is the epoch.
 * spdx.github.io/spdx-spec/v2.3; checked against its published schema.
 */
export function toSpdx(input: SbomInput): object {
  const image = imagePackage(input)
  const licences = new Map<string, LicenceText>()
  const byPurl = [...Map.groupBy(input.packages, ({ purl }) => purl).values()]
  const packages = byPurl.map((same) => spdxPackage(same[0] as ImagePackage, same, licences))
  const contained = [...(input.release === undefined ? [] : [osPackage(input.release)]), ...packages]
  const relation = (from: string, type: string, to: string) => ({ spdxElementId: from, relationshipType: type, relatedSpdxElement: to })
  return {
    SPDXID: 'SPDXRef-DOCUMENT',
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    name: input.name,
    documentNamespace: `https://lazaret.invalid/spdx/${digestHex(input.digest)}`,
    creationInfo: { created: secondsOf(input.createdAt), creators: ['Tool: lazaret'] },
    packages: [image, ...contained],
    ...(licences.size > 0 && { hasExtractedLicensingInfos: [...licences.values()] }),
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', image.SPDXID),
      ...contained.map(({ SPDXID }) => relation(image.SPDXID, 'CONTAINS', SPDXID)),
    ],
  }
}

function imagePackage({ name, digest }: SbomInput): SpdxPackage {
  const algorithm = digest.startsWith('sha256:') ? 'SHA256' : 'SHA512'
  return {
    SPDXID: 'SPDXRef-DocumentRoot-Image',
    name,
    versionInfo: digest,
    ...unsaid,
    primaryPackagePurpose: 'CONTAINER',
    checksums: [{ algorithm, checksumValue: digestHex(digest) }],
  }
}

function osPackage({ id, versionId, prettyName }: OsRelease): SpdxPackage {
  return {
    SPDXID: 'SPDXRef-OperatingSystem',
    name: id,
    ...(versionId !== undefined && { versionInfo: versionId }),
    ...(prettyName !== undefined && { summary: prettyName }),
    ...unsaid,
    primaryPackagePurpose: 'OPERATING_SYSTEM',
  }
}

function spdxPackage(pack: ImagePackage, same: ImagePackage[], licences: Map<string, LicenceText>): SpdxPackage {
  return {
    SPDXID: `SPDXRef-Package-${shortHash(pack.purl)}`,
    name: pack.name,
    versionInfo: pack.version,
    ...unsaid,
    licenseDeclared: declared(licenceAmong(same), licences),
    primaryPackagePurpose: 'LIBRARY',
    ...(pack.vendor !== undefined && { supplier: `Organization: ${pack.vendor.replaceAll(/\s+/g, ' ')}` }),
    sourceInfo: placesOf(same),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purlWithSource(pack) }],
  }
}

const unsaid = {
  downloadLocation: none,
  filesAnalyzed: false,
  licenseConcluded: none,
  licenseDeclared: none,
  copyrightText: none,
} as const

/** An SPDX expression; what is none is kept as a text of its own. SPDX 2.3, clause 10. */
function declared(licence: string | undefined, licences: Map<string, LicenceText>): string {
  const [choice] = licencesOf(licence)
  if (choice === undefined || licence === undefined) return none
  if ('expression' in choice) {
    for (const id of referencesIn(choice.expression)) licences.set(id, { licenseId: id, extractedText: namedBy(id), name: none })
    return choice.expression
  }
  if ('id' in choice.license) return choice.license.id
  const id = `LicenseRef-${shortHash(licence)}`
  licences.set(id, { licenseId: id, extractedText: licence, name: none })
  return id
}

/** All that is known of it: how the package calls it. */
function namedBy(reference: string): string {
  return `The package names it: ${reference.slice('LicenseRef-'.length).replaceAll('-', ' ')}`
}

function placesOf(same: readonly ImagePackage[]): string {
  const [first] = same
  const paths = [...new Set(same.map(({ location }) => `/${location}`))].join(', ')
  return `found at ${paths}; brought by layer ${first?.layer ?? ''}${first?.ownedBy === undefined ? '' : `; owned by ${first.ownedBy}`}`
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}

/** Whole seconds in UTC are all that it may have. */
function secondsOf(createdAt = '1970-01-01T00:00:00Z'): string {
  return `${new Date(createdAt).toISOString().slice(0, 19)}Z`
}
