import { toCycloneDx } from '../../inventory/sbom/cyclonedx.ts'
import { toSpdx } from '../../inventory/sbom/spdx-document.ts'
import { subjectOf } from '../../match/subjects.ts'
import type { Evidence } from '../../model/verdict.ts'
import { isTold, type KnownBase } from './in-base.ts'
import { placeFindings } from './places.ts'

/**
 * In: a name for people, what is known of an image, and its base where that was looked for. Out: its CycloneDX document, with every
 * finding and the packages that it is in.
 */
export function cycloneDxOf(name: string, evidence: Evidence, base?: KnownBase): object {
  const subjects = evidence.packages.map((pack) => subjectOf(pack, evidence.ecosystem) ?? null)
  const findings = placeFindings(evidence.findings, evidence.packages, subjects, [])
  if (base === undefined || !isTold(base.image)) return toCycloneDx({ name, ...evidence, findings })
  const marked = findings.map((finding) => ({ ...finding, inBase: base.inBase(finding) }))
  return toCycloneDx({ name, ...evidence, findings: marked, base: base.image })
}

/** The same as SPDX, which has no place for findings. */
export function spdxOf(name: string, { digest, packages, release, examinedAt }: Evidence): object {
  return toSpdx({ name, digest, packages, ...(release !== undefined && { release }), createdAt: examinedAt })
}
