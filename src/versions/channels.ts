// Vendors whose records name the repository that a package comes from, and not only the release.

/** Repositories of one release that every subscription has; EUS, AUS, TUS, E4S and the layered products have others. */
const redHat = 'baseos appstream crb highavailability nfv realtime resilientstorage sap sap_hana supplementary'
  .split(' ')
  // Up to 7.
  .concat(['server', 'client', 'workstation', 'computenode'])

const suse = [
  'Module for Basesystem',
  'Module for Server Applications',
  'Module for Development Tools',
  'Module for Containers',
  'Module for Python 3',
  'Module for Web and Scripting',
  'Module for Desktop Applications',
  'Module for Legacy',
  'Module for Public Cloud',
]

/**
 * In: the ecosystem of an image (`Red Hat:enterprise_linux:9`, `SUSE:Linux Enterprise Server 15 SP6`). Out: those of the
 * repositories that its packages come from; none where records name the release alone.
 * Support that costs extra is a channel of its own: its records speak of builds that such an image does not have.
 */
export function channelsOf(ecosystem: string): string[] {
  if (/^Red Hat:enterprise_linux:\d+$/.test(ecosystem)) return redHat.map((channel) => `${ecosystem}::${channel}`)
  const release = /^SUSE:Linux Enterprise Server (15.*)$/.exec(ecosystem)?.[1]
  return release === undefined ? [] : suse.map((module) => `SUSE:Linux Enterprise ${module} ${release}`)
}
