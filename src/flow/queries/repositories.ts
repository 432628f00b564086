import { LazaretError } from '../../kit/errors.ts'
import { may, type Principal } from '../../model/access.ts'
import { isRepositoryName } from '../../model/names.ts'
import { readRepositoryRule, type ResolvedSettings, type RepositoryRule } from '../../model/repository-settings.ts'
import type { Actor } from '../../store/audit.ts'
import type { Manifests } from '../../store/manifests/manifests.ts'
import type { RepositorySettingsStore } from '../../store/repository-settings.ts'

export interface RepositoryRow {
  repository: string
  /** What is said of it, each key by the most specific pattern. */
  settings: ResolvedSettings['values']
  /** Which pattern says so. */
  from: ResolvedSettings['from']
}

export interface RuleRow {
  rule: RepositoryRule
  /** By `lazaret.yaml`, where alone it can be changed. */
  declared: boolean
  updatedAt?: string
  updatedBy?: string
}

export interface RepositoryQueries {
  /** Repositories that the caller may pull, by name. */
  list(principal: Principal, page: { limit: number; after?: string }): Promise<{ items: RepositoryRow[]; next?: string }>
  /** What holds for a repository, whether or not anything is in it yet. Throws NAME_UNKNOWN where the caller may not pull it. */
  show(principal: Principal, repository: string): Promise<RepositoryRow>
  /** All rules: for administrators, as are the two below. */
  rules(): Promise<RuleRow[]>
  /** Throws INPUT_INVALID naming what is wrong, CONFLICT where the pattern is declared. */
  set(actor: Actor, rule: unknown): Promise<void>
  /** Throws NOT_FOUND, CONFLICT. */
  remove(actor: Actor, match: string): Promise<void>
}

const mostAtOnce = 1000

export function createRepositoryQueries(manifests: Manifests, settings: RepositorySettingsStore): RepositoryQueries {
  async function rowOf(repository: string): Promise<RepositoryRow> {
    const { values, from } = await settings.of(repository)
    return { repository, settings: values, from }
  }

  return {
    async list(principal, { limit, after = '' }) {
      const names: string[] = []
      for (let last = after, more = true; more && names.length <= limit; ) {
        const page = await manifests.repositories(last, mostAtOnce)
        names.push(...page.filter((name) => may(principal, 'pull', name)))
        last = page.at(-1) ?? ''
        more = page.length === mostAtOnce
      }
      const items = await Promise.all(names.slice(0, limit).map(rowOf))
      const next = items.at(-1)?.repository
      return names.length > limit && next !== undefined ? { items, next } : { items }
    },
    async show(principal, repository) {
      if (!isRepositoryName(repository) || !may(principal, 'pull', repository))
        throw new LazaretError('NAME_UNKNOWN', `no repository ${repository.slice(0, 140)} that you may pull`)
      return rowOf(repository)
    },
    async rules() {
      return (await settings.rules()).map(({ rule, declared, updatedAt, updatedBy }) => ({
        rule,
        declared,
        ...(updatedAt === undefined ? {} : { updatedAt: new Date(updatedAt).toISOString() }),
        ...(updatedBy === undefined ? {} : { updatedBy }),
      }))
    },
    async set(actor, given) {
      const read = readRepositoryRule(given)
      if ('problem' in read) throw new LazaretError('INPUT_INVALID', `the body must be ${read.problem}`)
      await settings.set(actor, read.rule)
    },
    remove: (actor, match) => settings.remove(actor, match),
  }
}
