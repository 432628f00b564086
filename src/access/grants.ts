import { LazaretError } from '../kit/errors.ts'
import type { Action, Grant } from '../model/access.ts'
import { isRepositoryPattern } from '../model/names.ts'

// `ACTION=PATTERN`, or `admin` alone:   pull=shop/**   push=shop/api   delete=tmp/*   read-quarantined=**   admin

export const mostGrants = 256
const onPatterns: readonly Action[] = ['pull', 'push', 'delete', 'read-quarantined']

// Each further `**` multiplies the ways in which a pattern can be laid over a name, and it is asked on every request.
const mostDoubleStars = 2

/** In: grants as people write them. Out: the grants, each once. Throws LazaretError INPUT_INVALID naming the bad one. */
export function parseGrants(texts: readonly string[]): Grant[] {
  if (texts.length > mostGrants) throw new LazaretError('INPUT_INVALID', `at most ${mostGrants} grants, not ${texts.length}`)
  const grants = new Map(texts.map((text) => [text, parseGrant(text)]))
  return [...grants.values()]
}

export function formatGrant(grant: Grant): string {
  return grant.action === 'admin' ? 'admin' : `${grant.action}=${grant.pattern}`
}

function parseGrant(text: string): Grant {
  if (text === 'admin') return { action: 'admin', pattern: '' }
  const [action, pattern] = splitOnce(text)
  if (action === 'admin') throw invalid(text, 'admin covers everything and takes no pattern')
  if (!isActionOnPattern(action)) throw invalid(text, `the action is one of ${onPatterns.join(', ')}, or admin alone`)
  if (pattern === undefined) throw invalid(text, `a pattern is missing, as in ${action}=shop/**`)
  if (!isRepositoryPattern(pattern)) throw invalid(text, 'the pattern is not one of repository names, such as shop/** or shop/api')
  if (pattern.split('/').filter((segment) => segment === '**').length > mostDoubleStars)
    throw invalid(text, `a pattern has at most ${mostDoubleStars} times **`)
  return { action, pattern }
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function isActionOnPattern(text: string): text is Action {
  return (onPatterns as readonly string[]).includes(text)
}

function invalid(text: string, why: string): LazaretError {
  return new LazaretError('INPUT_INVALID', `not a grant: ${JSON.stringify(text.slice(0, 100))}: ${why}`)
}
