import type { Advisory, AffectedRange } from '../../model/advisory.ts'
import type { Fact, Form, ReadContext } from '../form.ts'
import { clearedPackage } from './cleared.ts'
import { FieldError, isObject, type JsonObject, limits, listAt, objectAt, own, textOf } from '../fields.ts'

/**
 * Alpine's own lists of what a version of a package cured: `secfixes`, once as its security database publishes them
 * (secdb.alpinelinux.org, one document per branch and repository), once as they stand in the build recipes (one line per
 * package and branch). `{"1.2-r3": ["CVE-2020-1"]}` says that versions before 1.2-r3 have the flaw, and version `0` that
 * the package never had it. Ids are those of OSV: `ALPINE-CVE-2020-1`.
 */
export const alpine = {
  name: 'alpine',
  recognises: (first) => isObject(first) && (isDatabase(first) || isRecipe(first)),
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) {
      for (const entry of packagesOf(value, context)) yield* factsOf(entry, context)
    }
  },
} satisfies Form

interface Secfixes {
  ecosystem: string
  name: string
  fixes: JsonObject
}

function isDatabase(value: JsonObject): boolean {
  return 'distroversion' in value && 'packages' in value
}

function isRecipe(value: JsonObject): boolean {
  return 'branch' in value && 'pkgname' in value && 'secfixes' in value
}

function packagesOf(value: unknown, context: ReadContext): Secfixes[] {
  const whole = isObject(value) ? value : {}
  const branch = own(whole, isDatabase(whole) ? 'distroversion' : 'branch')
  if (typeof branch !== 'string' || !/^(v\d{1,3}\.\d{1,3}|edge)$/.test(branch))
    return dropped(context, 'no branch', JSON.stringify(branch ?? null).slice(0, 80))
  try {
    if (isRecipe(whole)) return [secfixes(whole, own(whole, 'pkgname'), branch, 'the line')]
    return listAt(whole, 'packages', limits.affected, '').map((entry, index) => {
      const about = objectAt(own(objectAt(entry, `packages[${index}]`), 'pkg'), `packages[${index}].pkg`)
      return secfixes(about, own(about, 'name'), branch, `packages[${index}].pkg`)
    })
  } catch (error) {
    if (error instanceof FieldError) return dropped(context, 'not the form of a security database', `${branch}: ${error.message}`)
    throw error
  }
}

function secfixes(holder: JsonObject, name: unknown, branch: string, where: string): Secfixes {
  const spelled = textOf(name, `${where}.name`)
  // A recipe that makes its packages' names by shell variables is listed by the variable.
  if (!/^[A-Za-z0-9._+-]+$/.test(spelled)) throw new FieldError(`${where}.name`, 'not a package name')
  return { ecosystem: `Alpine:${branch}`, name: spelled, fixes: objectAt(own(holder, 'secfixes') ?? {}, `${where}.secfixes`) }
}

/** One package's fixes, as one fact per flaw with every version that was said to cure it. */
function* factsOf(entry: Secfixes, context: ReadContext): Generator<Fact> {
  for (const [id, flaw] of flawsOf(entry, context))
    yield { kind: 'advisory', advisory: advisoryOf(id, flaw, entry, context), merge: 'package' }
}

interface Flaw {
  others: Set<string>
  fixed: Set<string>
}

function flawsOf(entry: Secfixes, context: ReadContext): Map<string, Flaw> {
  const flaws = new Map<string, Flaw>()
  for (const [version, named] of Object.entries(entry.fixes)) {
    const where = `${entry.ecosystem} ${entry.name} ${version}`.slice(0, 200)
    if (!/^[!-~]{1,200}$/.test(version)) context.drop('not a version', where)
    else if (named !== null && !Array.isArray(named)) context.drop('ids are not a list', where)
    else for (const text of named ?? []) addFlaws(flaws, version, text, where, context)
  }
  return flaws
}

function addFlaws(flaws: Map<string, Flaw>, version: string, text: unknown, where: string, context: ReadContext): void {
  if (typeof text !== 'string' || text.length > limits.textLength) return void context.drop('not an id', where)
  const names = flawNames(text)
  if (names.length === 0) return void context.drop('not an id', `${where}: ${JSON.stringify(text.slice(0, 60))}`)
  for (const { id, others } of names) {
    const flaw = flaws.get(id) ?? { others: new Set(), fixed: new Set() }
    for (const other of others) flaw.others.add(other)
    // Version 0 says that no version has it; a fix that is named elsewhere outweighs that.
    if (version !== '0' && !/not affected/i.test(text)) flaw.fixed.add(version)
    flaws.set(id, flaw)
  }
}

/**
 * One text may name a flaw several times over (`CVE-2021-28694 XSA-378`, `CVE-2024-1 GHSA-…`) or several flaws. Each CVE
 * is a flaw; a GHSA beside exactly one CVE is the same; other bodies' numbers gather several CVEs, so they only count
 * where there is no CVE.
 */
function flawNames(text: string): { id: string; others: string[] }[] {
  const cves = [...text.matchAll(/\bCVE[-_ ](\d{4})-(\d{4,12})(?![\d?])/gi)].map((match) => `CVE-${match[1]}-${match[2]}`)
  const advisories = [...text.matchAll(/\bGHSA(?:-[0-9a-z]{4}){3}\b/gi)].map((match) => `GHSA${match[0].slice(4).toLowerCase()}`)
  const [only] = cves
  if (only !== undefined) return cves.map((cve) => ({ id: `ALPINE-${cve}`, others: cves.length === 1 ? [only, ...advisories] : [cve] }))
  if (advisories.length > 0) return advisories.map((ghsa) => ({ id: `ALPINE-${ghsa}`, others: [ghsa] }))
  const own = /^(?!CVE)(?=.*\d)[A-Za-z]{2,16}\d*(?:-[A-Za-z0-9]{1,20}){1,6}$|^[A-Z]{2,5}\d{5,12}$/.exec(
    text.trim().split(/[\s,]+/)[0] ?? '',
  )
  return own === null ? [] : [{ id: `ALPINE-${own[0]}`, others: [own[0]] }]
}

function advisoryOf(id: string, flaw: Flaw, entry: Secfixes, context: ReadContext): Advisory {
  const ranges = [...flaw.fixed].map((fixed): AffectedRange => ({ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }))
  const { ecosystem, name } = entry
  const affected = ranges.length === 0 ? clearedPackage(ecosystem, name) : { ecosystem, name, ranges, versions: [] }
  return {
    id,
    aliases: [],
    upstream: [...flaw.others],
    modified: context.asOf,
    severity: [],
    affected: [affected],
    malicious: false,
    source: 'alpine',
  }
}

function dropped(context: ReadContext, reason: string, where: string): [] {
  context.drop(reason, where)
  return []
}
