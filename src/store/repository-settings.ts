import { LazaretError } from '../kit/errors.ts'
import type { Grant } from '../model/access.ts'
import { publicPatterns, resolveSettings, type RepositoryRule, type ResolvedSettings } from '../model/repository-settings.ts'
import { recordAudit, type Actor } from './audit.ts'
import type { Records } from './records/records.ts'
import type { ImmutableTags } from './tag-history.ts'

/** A rule, and whether `lazaret.yaml` declares it: then nothing else changes it. */
export interface StatedRule {
  rule: RepositoryRule
  declared: boolean
  updatedAt?: number
  updatedBy?: string
}

/**
 * What is said of repositories, by pattern. What is asked here is at most two seconds old, and never older than a change made by
 * this process.
 */
export interface RepositorySettingsStore {
  /** All rules, in the order of their patterns. */
  rules(): Promise<StatedRule[]>
  of(repository: string): Promise<ResolvedSettings>
  immutableTags(repository: string): Promise<ImmutableTags | undefined>
  /** What anyone may pull. */
  publicGrants(): Promise<readonly Grant[]>
  /** In place of the rule of that pattern, in full. Throws CONFLICT where that is declared, LIMIT_EXCEEDED for too many. */
  set(actor: Actor, rule: RepositoryRule): Promise<void>
  /** Throws NOT_FOUND, CONFLICT. */
  remove(actor: Actor, match: string): Promise<void>
  /** In: what `lazaret.yaml` says from now on, and what `public` does. */
  declare(rules: readonly RepositoryRule[], publicPatterns: readonly string[]): void
}

export interface RepositorySettingsParts {
  records: Records
  /** Of `lazaret.yaml`. */
  declared: readonly RepositoryRule[]
  /** The setting `public`. */
  publicPatterns: readonly string[]
  now: () => number
}

type Said = Pick<RepositorySettingsParts, 'declared' | 'publicPatterns'>

const staleAfterMs = 2000
const mostRules = 1000
const mostRemembered = 10_000

interface Row {
  match: string
  settings: string
  updated_at: number
  updated_by: string
}

interface Snapshot {
  stated: StatedRule[]
  publicGrants: readonly Grant[]
  of(repository: string): ResolvedSettings
}

export function createRepositorySettings(parts: RepositorySettingsParts): RepositorySettingsStore {
  const { records, now } = parts
  let said: Said = parts
  const query = records.prepare<Row>('select match, settings, updated_at, updated_by from repository_settings order by match')
  let known: { readAt: number; snapshot: Promise<Snapshot> } | undefined
  let last: { text: string; snapshot: Snapshot } | undefined

  async function read(): Promise<Snapshot> {
    const rows = await query.all()
    const text = JSON.stringify(rows)
    if (last?.text !== text) last = { text, snapshot: snapshotOf(said, rows) }
    return last.snapshot
  }

  function current(): Promise<Snapshot> {
    const at = now()
    // A clock that was set back must not keep what is known alive.
    if (known !== undefined && at >= known.readAt && at < known.readAt + staleAfterMs) return known.snapshot
    const snapshot = read()
    const reading = { readAt: at, snapshot }
    known = reading
    snapshot.catch(() => {
      if (known === reading) known = undefined
    })
    return snapshot
  }

  async function change(actor: Actor, match: string, to: RepositoryRule | undefined): Promise<void> {
    if (said.declared.some((rule) => rule.match === match))
      throw new LazaretError('CONFLICT', `${match} is declared in lazaret.yaml: change it there`)
    try {
      await records.write(async (tx) => {
        const before = await tx.selectFrom('repository_settings').select('settings').where('match', '=', match).executeTakeFirst()
        if (before === undefined && to === undefined) throw new LazaretError('NOT_FOUND', `nothing is set for ${match}`)
        if (to === undefined) await tx.deleteFrom('repository_settings').where('match', '=', match).execute()
        else {
          const row = { settings: JSON.stringify(to), updated_at: now(), updated_by: actor.principal }
          await tx
            .insertInto('repository_settings')
            .values({ match, ...row })
            .onConflict((conflict) => conflict.column('match').doUpdateSet(row))
            .execute()
          const { count } = await tx
            .selectFrom('repository_settings')
            .select((of) => of.fn.countAll<number>().as('count'))
            .executeTakeFirstOrThrow()
          if (count > mostRules) throw new LazaretError('LIMIT_EXCEEDED', `at most ${mostRules} patterns have settings`)
        }
        const detail = { before: before === undefined ? null : (JSON.parse(before.settings) as object), after: to ?? null }
        const action = to === undefined ? 'repository-settings.remove' : 'repository-settings.set'
        await recordAudit(tx, { ...actor, action, subject: `repositories:${match}`, result: 'done', detail, at: now() })
      })
    } finally {
      known = undefined // also after an error: whether a commit whose answer was lost took place is not known
    }
  }

  return {
    rules: async () => (await current()).stated,
    of: async (repository) => (await current()).of(repository),
    async immutableTags(repository) {
      const { values, from } = (await current()).of(repository)
      if (values.immutableTags === undefined || values.immutableTags.length === 0) return undefined
      return { patterns: values.immutableTags, match: from.immutableTags ?? '' }
    },
    publicGrants: async () => (await current()).publicGrants,
    set: (actor, rule) => change(actor, rule.match, rule),
    remove: (actor, match) => change(actor, match, undefined),
    declare(declared, open) {
      said = { declared, publicPatterns: open }
      known = undefined
      last = undefined
    },
  }
}

function snapshotOf({ declared, publicPatterns: open }: Said, rows: Row[]): Snapshot {
  const names = new Set(declared.map((rule) => rule.match))
  const stored = rows
    .filter((row) => !names.has(row.match))
    .map((row) => ({
      rule: JSON.parse(row.settings) as RepositoryRule,
      declared: false,
      updatedAt: row.updated_at,
      updatedBy: row.updated_by,
    }))
  const stated: StatedRule[] = [...declared.map((rule) => ({ rule, declared: true })), ...stored]
  const rules = withPublic(
    stated.map(({ rule }) => rule),
    open,
  )
  const resolved = new Map<string, ResolvedSettings>()
  return {
    stated: stated.toSorted((a, b) => (a.rule.match < b.rule.match ? -1 : 1)),
    publicGrants: publicPatterns(rules).map((grant) => ({ action: 'pull', ...grant })),
    of(repository) {
      const found = resolved.get(repository) ?? resolveSettings(rules, repository)
      if (resolved.size < mostRemembered) resolved.set(repository, found)
      return found
    },
  }
}

/** The setting `public` says the same as a rule; what a rule says of the very pattern goes before. */
function withPublic(rules: RepositoryRule[], open: readonly string[]): RepositoryRule[] {
  const said = new Set(rules.filter((rule) => rule.visibility !== undefined).map((rule) => rule.match))
  return [...rules, ...open.filter((match) => !said.has(match)).map((match): RepositoryRule => ({ match, visibility: 'public' }))]
}
