import { isObject, own, ownText } from '../../text/json.ts'
import type { JsonObject } from '../../text/json.ts'

const maxChars = 1024

/**
 * In: `direct_url.json`. Out: what a package URL says of it: `vcs_url` with the commit, `download_url` of an archive; nothing
 * of a folder, which is nowhere but there. Credentials are left out.
 * packaging.python.org, "Direct URL data"; github.com/package-url/purl-spec, "Known qualifiers".
 */
export function sourceOf(json: JsonObject): Record<string, string> | undefined {
  const url = withoutSecrets(ownText(json, 'url'))
  if (url === undefined) return undefined
  const vcs = own(json, 'vcs_info')
  if (isObject(vcs)) {
    const commit = ownText(vcs, 'commit_id') ?? ''
    return { vcs_url: `${word(ownText(vcs, 'vcs'))}+${url}${/^[\da-f]{1,64}$/.test(commit) ? `@${commit}` : ''}` }
  }
  return isObject(own(json, 'archive_info')) ? { download_url: url } : undefined
}

function word(text: string | undefined): string {
  return text !== undefined && /^[a-z]{1,10}$/.test(text) ? text : 'git'
}

function withoutSecrets(text: string | undefined): string | undefined {
  if (text === undefined || text.length > maxChars || !URL.canParse(text)) return undefined
  const url = new URL(text)
  url.username = ''
  url.password = ''
  url.search = ''
  return url.protocol === 'file:' ? undefined : url.toString()
}
