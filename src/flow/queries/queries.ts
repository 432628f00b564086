import { cycloneDxOf } from '../scan/documents.ts'
import { LazaretError } from '../../kit/errors.ts'
import type { Principal } from '../../model/access.ts'
import type { Finding } from '../../model/advisory.ts'
import { severities } from '../../model/advisory.ts'
import type { Link } from '../../store/audit-chain.ts'
import { verifyAudit, type AuditVerification } from '../../store/audit-verify.ts'
import type { Manifests } from '../../store/manifests/manifests.ts'
import type { PullRecords } from '../../store/pulls.ts'
import type { Records } from '../../store/records/records.ts'
import type { RepositorySettingsStore } from '../../store/repository-settings.ts'
import type { VerdictWaiters } from '../../store/verdicts.ts'
import { inBaseBy } from '../scan/in-base.ts'
import { createChangeQueries, type ChangeQueries } from './changes.ts'
import { listAudit, type AuditQuery, type AuditRow } from './audit-log.ts'
import type { BaseQueries } from './bases.ts'
import { listFindings, type FindingQuery, type FindingRow } from './findings.ts'
import { listBuiltOn, listImages, type ImageQuery, type ImageRow } from './images.ts'
import { listJobs, type JobPage, type JobQuery } from './jobs.ts'
import { listPackageHolders, type PackageHolder, type PackageQuery } from './packages.ts'
import { createPullQueries, type PullQueries } from './pulls.ts'
import { createRepositoryQueries, type RepositoryQueries } from './repositories.ts'
import { createTagQueries, type TagQueries } from './tags.ts'
import { createVerdictQueries, type VerdictQueries } from './verdicts.ts'

/** What people and programs ask about what is stored; each answer holds to the asker's grants. */
export interface Queries {
  verdicts: VerdictQueries
  tags: TagQueries
  pulls: PullQueries
  repositories: RepositoryQueries
  changes: ChangeQueries
  images(principal: Principal, query: Omit<ImageQuery, 'inUseSince'>): Promise<{ items: ImageRow[]; next?: string }>
  /** Over the store, or of one image where it is named. */
  findings(
    principal: Principal,
    query: FindingQuery & { image?: string; platform?: string; base?: boolean },
  ): Promise<{ items: FindingRow[]; next?: string }>
  packages(principal: Principal, query: PackageQuery): Promise<{ items: PackageHolder[]; next?: string }>
  /** CycloneDX. Errors: UNAVAILABLE while the image is being examined. */
  sbom(principal: Principal, image: string, platform: string | undefined): Promise<object>
  /** For administrators, as are jobs: whoever calls sees to that. */
  auditLog(query: AuditQuery): Promise<{ items: AuditRow[]; next?: string }>
  /** Reads the whole audit log. In: a link that was kept elsewhere. */
  verifyAudit(kept?: Link): Promise<AuditVerification>
  jobs(query: JobQuery): Promise<JobPage>
}

export interface QueryParts {
  records: Records
  manifests: Manifests
  waiters: VerdictWaiters
  bases: BaseQueries
  repositorySettings: RepositorySettingsStore
  pulls: PullRecords
  /** Where the advisories are. */
  dataFolder: string
  /** Who pulled within so many days uses it. */
  inUseDays: number
  now: () => number
}

const dayMs = 86_400_000

export function createQueries(parts: QueryParts): Queries {
  const { records, manifests, bases, repositorySettings, pulls, inUseDays, now } = parts
  const verdicts = createVerdictQueries(parts)

  async function evidenceOf(principal: Principal, image: string, platform: string | undefined) {
    const held = await verdicts.find(principal, image, platform)
    if (held.kind === 'index') throw new LazaretError('INPUT_INVALID', `${image} is an index: name a platform, such as linux/amd64`)
    const evidence = await verdicts.evidence(held.id)
    if (evidence === undefined)
      throw new LazaretError('UNAVAILABLE', `${image} is being examined, try again`, { headers: { 'retry-after': '5' } })
    return { held, evidence }
  }

  async function findingsOfImage(principal: Principal, query: FindingQuery & { image: string; platform?: string; base?: boolean }) {
    const { held, evidence } = await evidenceOf(principal, query.image, query.platform)
    const images = [{ repository: held.repository, digest: held.digest }]
    const from = Number(query.after ?? 0)
    const inBase = inBaseBy(evidence, await bases.layersOf(held.id))
    const wanted = evidence.findings
      .filter((finding) => isWanted(finding, query))
      .map((finding) => ({ ...finding, inBase: inBase(finding), images }))
      .filter((finding) => query.base === undefined || (finding.inBase === true) === query.base)
    const items = wanted.slice(from, from + query.limit)
    return { items, ...(from + query.limit < wanted.length ? { next: String(from + query.limit) } : {}) }
  }

  return {
    verdicts,
    tags: createTagQueries({ records, repositorySettings, now }),
    pulls: createPullQueries(records, verdicts, pulls),
    changes: createChangeQueries({ records, verdicts, dataFolder: parts.dataFolder }),
    repositories: createRepositoryQueries(manifests, repositorySettings),
    auditLog: (query) => listAudit(records, query),
    verifyAudit: (kept) => verifyAudit(records, kept),
    jobs: (query) => listJobs(records, query),
    packages: (principal, query) => listPackageHolders(records, principal, query),
    async images(principal, query) {
      const rest = { ...query, inUseSince: now() - inUseDays * dayMs }
      return query.base === undefined
        ? listImages(records, manifests, principal, rest)
        : listBuiltOn(records, principal, { ...rest, base: query.base })
    },
    async findings(principal, query) {
      if (query.image !== undefined) return findingsOfImage(principal, { ...query, image: query.image })
      if (query.base !== undefined)
        throw new LazaretError('INPUT_INVALID', 'base is asked of one image: what is in the base of one is not in that of another')
      return listFindings(records, principal, query)
    },
    async sbom(principal, image, platform) {
      const { held, evidence } = await evidenceOf(principal, image, platform)
      const known = { image: await bases.of(principal, held.id), inBase: inBaseBy(evidence, await bases.layersOf(held.id)) }
      return cycloneDxOf(held.repository, evidence, known)
    },
  }
}

function isWanted(finding: Finding, query: FindingQuery): boolean {
  if (query.id !== undefined && !finding.ids.includes(query.id)) return false
  if (query.package !== undefined && finding.packageName !== query.package) return false
  return query.severity === undefined || severities.indexOf(finding.severity) >= severities.indexOf(query.severity)
}
