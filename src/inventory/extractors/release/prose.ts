import type { OsRelease } from '../../../model/layer.ts'
import { shortText } from '../../text/identity.ts'

/** How the line begins, and the id that os-release of the same distribution has. The longer names come first. */
const names: [start: RegExp, id: string][] = [
  [/^Red Hat Enterprise Linux/, 'rhel'],
  [/^CentOS/, 'centos'],
  [/^Fedora/, 'fedora'],
  [/^Oracle Linux/, 'ol'],
  [/^AlmaLinux/, 'almalinux'],
  [/^Rocky Linux/, 'rocky'],
  [/^Amazon Linux/, 'amzn'],
  [/^Mageia/, 'mageia'],
  [/^SUSE Linux Enterprise Server/, 'sles'],
  [/^SUSE Linux Enterprise Desktop/, 'sled'],
  [/^openSUSE Tumbleweed/, 'opensuse-tumbleweed'],
  [/^openSUSE Leap/, 'opensuse-leap'],
  [/^openSUSE/, 'opensuse'],
  [/^(?:VMware )?Photon/, 'photon'],
  [/^(?:CBL-)?Mariner/, 'mariner'],
  [/^(?:Microsoft )?Azure Linux/, 'azurelinux'],
]

/**
 * In: the path and the text of a file as `/etc/redhat-release`. Out: what os-release would say; undefined where the name is
 * none that is known. `CentOS release 6.10 (Final)`, `Amazon Linux release 2 (Karoo)`, `CBL-Mariner 2.0.20240123`; SUSE up to
 * 12 has `PATCHLEVEL = 4` on a line of its own. Arch's file is empty.
 */
export function proseReleaseOf(path: string, text: string): OsRelease | undefined {
  if (path === 'etc/arch-release') return { id: 'arch', idLike: [] }
  const line = text.split('\n', 1)[0]?.trim() ?? ''
  const id = names.find(([start]) => start.test(line))?.[1]
  if (id === undefined) return undefined
  const versionId = versionOf(id, line, text)
  const prettyName = shortText(line)
  return { id, ...(versionId !== undefined && { versionId }), idLike: [], ...(prettyName !== undefined && { prettyName }) }
}

function versionOf(id: string, line: string, text: string): string | undefined {
  const number = /(?<![\w.])(\d{1,8}(?:\.\d{1,8}){0,3})(?![\w.])/.exec(line)?.[1]
  if (number === undefined) return undefined
  // os-release has the first two parts of these, and the release day or build is the third.
  if (id === 'mariner' || id === 'azurelinux' || id === 'photon') return number.split('.').slice(0, 2).join('.')
  const patch = id === 'sles' || id === 'sled' ? /^PATCHLEVEL\s*=\s*(\d{1,2})\s*$/m.exec(text)?.[1] : undefined
  return patch === undefined || patch === '0' ? number : `${number}.${patch}`
}
