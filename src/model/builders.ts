import type { OsRelease } from './layer.ts'
import type { Package } from './package.ts'

/** By the id of os-release: how the distribution's own packages name their vendor. */
const vendors: ReadonlyMap<string, RegExp> = new Map([
  ['almalinux', /^AlmaLinux/],
  ['amzn', /^Amazon/],
  ['azurelinux', /^Microsoft/],
  ['centos', /^(?:CentOS|Red Hat)/],
  ['fedora', /^Fedora Project/],
  ['mageia', /^Mageia/],
  ['mariner', /^Microsoft/],
  ['ol', /^Oracle/],
  ['openeuler', /^(?:https?:\/\/)?openeuler\b/i],
  ['opensuse', /^(?:openSUSE|SUSE)/],
  ['opensuse-leap', /^(?:openSUSE|SUSE)/],
  ['opensuse-tumbleweed', /^(?:openSUSE|SUSE)/],
  ['photon', /^(?:VMware|Broadcom)/],
  ['rhel', /^Red Hat/],
  ['rocky', /^Rocky/],
  ['sled', /^SUSE/],
  ['sles', /^SUSE/],
])

/**
 * Whether another than the distribution of the image built a package, as far as can be told: one that names no vendor, or is of a
 * distribution whose vendors are not known here, counts as its own, since then its advisories may well mean it.
 */
export function isForeign({ vendor }: Pick<Package, 'vendor'>, release: OsRelease | undefined): boolean {
  const own = release === undefined ? undefined : vendors.get(release.id)
  return vendor !== undefined && own !== undefined && !own.test(vendor)
}
