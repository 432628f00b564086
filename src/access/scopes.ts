// docs.docker.com/registry "Token scope": TYPE[(CLASS)]:NAME:ACTION[,ACTION], several of them separated by spaces.
import { LazaretError } from '../kit/errors.ts'
import { granted, mayList, type Principal } from '../model/access.ts'
import { isRepositoryName } from '../model/names.ts'

/** What a token allows, as its `access` claim lists it. */
export interface Access {
  type: 'repository' | 'registry'
  name: string
  actions: string[]
}

const repositoryActions = ['pull', 'push', 'delete'] as const
const form = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:([^\s]*):([A-Za-z,*-]*)$/

// Together they keep a token below Node's 16 KiB of request headers.
const mostScopes = 64
const mostScopeText = 4096

/**
 * In: the `scope` parameters. Out: what is asked for, each name once; kinds and actions that we don't have are left out.
 * Throws LazaretError INPUT_INVALID or NAME_INVALID naming the bad scope, LIMIT_EXCEEDED for too many of them.
 */
export function parseScopes(parameters: readonly string[]): Access[] {
  const texts = scopeTexts(parameters)
  const asked = new Map<string, Access>()
  for (const text of texts) {
    const scope = parseScope(text)
    if (scope === undefined) continue
    const key = `${scope.type}:${scope.name}`
    const before = asked.get(key)?.actions ?? []
    asked.set(key, { ...scope, actions: [...new Set([...before, ...scope.actions])] })
  }
  return [...asked.values()]
}

/** In: who asks, and for what. Out: the part of it that the grants allow. */
export function allowedAccess(principal: Principal, asked: readonly Access[]): Access[] {
  return asked.map((access) => ({ ...access, actions: allowedActions(principal, access) })).filter((access) => access.actions.length > 0)
}

/** `repository` scopes under their name, the catalog under `registry:catalog`, as `Principal.scope` holds them. */
export function scopeMap(access: readonly Access[]): Map<string, ReadonlySet<string>> {
  return new Map(access.map(({ type, name, actions }) => [type === 'registry' ? `registry:${name}` : name, new Set(actions)]))
}

function scopeTexts(parameters: readonly string[]): string[] {
  const length = parameters.reduce((sum, text) => sum + text.length, 0)
  if (length > mostScopeText) throw new LazaretError('LIMIT_EXCEEDED', `the scopes have ${length} characters, more than ${mostScopeText}`)
  const texts = parameters.flatMap((text) => text.split(' ')).filter((text) => text !== '')
  if (texts.length > mostScopes) throw new LazaretError('LIMIT_EXCEEDED', `${texts.length} scopes, more than ${mostScopes}`)
  return texts
}

function parseScope(text: string): Access | undefined {
  const match = form.exec(text)
  if (match === null) throw new LazaretError('INPUT_INVALID', `not a scope: ${shown(text)}: repository:NAME:pull,push`)
  const [, type, name = '', actionText = ''] = match
  const actions = actionText.split(',')
  if (type === 'registry') return name === 'catalog' && actions.includes('*') ? { type, name, actions: ['*'] } : undefined
  if (type !== 'repository') return undefined
  if (!isRepositoryName(name)) throw new LazaretError('NAME_INVALID', `not a repository name in the scope ${shown(text)}`)
  return { type, name, actions: repositoryActions.filter((action) => actions.includes(action) || actions.includes('*')) }
}

function allowedActions(principal: Principal, access: Access): string[] {
  if (access.type === 'registry') return mayList(principal) ? ['*'] : []
  return repositoryActions.filter((action) => access.actions.includes(action) && granted(principal, action, access.name))
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
