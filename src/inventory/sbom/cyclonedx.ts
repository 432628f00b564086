import type { BaseImage } from '../../model/base.ts'
import { digestHex } from '../../model/digest.ts'
import type { Digest } from '../../model/digest.ts'
import type { OsRelease } from '../../model/layer.ts'
import type { ImagePackage } from '../../model/package.ts'
import { osComponent, packageComponents } from './components.ts'
import type { Component } from './components.ts'
import { vulnerabilitiesOf, type FoundIn } from './vulnerabilities.ts'

export interface SbomInput {
  /** Of the image or repository, for people. */
  name: string
  digest: Digest
  packages: readonly ImagePackage[]
  release?: OsRelease
  /** With them the document is an SBOM and a vulnerability report in one. */
  findings?: readonly FoundIn[]
  /** What the image was built on. */
  base?: BaseImage
  /** ISO 8601; left out, the same image gives the same bytes at any time. */
  createdAt?: string
}

/**
 * In: what is known of an image. Out: a CycloneDX 1.6 document, to be written as JSON.
 * cyclonedx.org/docs/1.6/json; checked against its published schema.
 */
export function toCycloneDx(input: SbomInput): object {
  const image = imageComponent(input)
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumberOf(input.digest),
    version: 1,
    metadata: {
      ...(input.createdAt !== undefined && { timestamp: input.createdAt }),
      tools: { components: [{ type: 'application', name: 'lazaret' }] },
      component: image,
      ...(input.base !== undefined && { properties: baseProperties(input.base) }),
    },
    components: [...(input.release === undefined ? [] : [osComponent(input.release)]), ...packageComponents(input.packages)],
    ...(input.findings !== undefined && { vulnerabilities: vulnerabilitiesOf(input.findings, image['bom-ref']) }),
  }
}

function imageComponent({ name, digest }: SbomInput): Component {
  return { type: 'container', 'bom-ref': `image:${digest}`, name, version: digest }
}

/** CycloneDX 1.6, "metadata.properties". Names of our own, as it has none for a base. */
function baseProperties({ known, layers, digest, names = [], claim }: BaseImage): { name: string; value: string }[] {
  const values: [string, string | undefined][] = [
    ['known', known],
    ['layers', layers?.toString()],
    ['digest', digest],
    ...names.map((name): [string, string] => ['name', name]),
    ['claimed-name', claim?.name],
    ['claimed-digest', claim?.digest],
  ]
  return values.flatMap(([name, value]) => (value === undefined ? [] : [{ name: `lazaret:base:${name}`, value }]))
}

/** RFC 9562, section 5.8: a UUID of our own making, from the digest. */
function serialNumberOf(digest: Digest): string {
  const hex = digestHex(digest)
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
