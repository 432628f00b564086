import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForeign } from './builders.ts'

// Vendors as the distributions' own databases have them.
const own: [id: string, vendor: string][] = [
  ['almalinux', 'AlmaLinux'],
  ['rocky', 'Rocky Enterprise Software Foundation'],
  ['rhel', 'Red Hat, Inc.'],
  ['centos', 'CentOS'],
  ['fedora', 'Fedora Project'],
  ['ol', 'Oracle America'],
  ['amzn', 'Amazon Linux'],
  ['amzn', 'Amazon.com'],
  ['sles', 'SUSE LLC <https://www.suse.com/>'],
  ['opensuse-leap', 'openSUSE'],
  ['opensuse-leap', 'SUSE LLC <https://www.suse.com/>'],
  ['mariner', 'Microsoft Corporation'],
  ['photon', 'VMware, Inc.'],
  ['mageia', 'Mageia.Org'],
  ['openeuler', 'http://openeuler.org'],
]

test("a distribution's own packages, and those of others", () => {
  for (const [id, vendor] of own) {
    assert.equal(isForeign({ vendor }, { id, idLike: [] }), false, id)
    for (const other of ['EPEL', 'NodeSource', 'MongoDB Inc.', `x ${vendor}`])
      assert.equal(isForeign({ vendor: other }, { id, idLike: [] }), true, id)
  }
  assert.equal(isForeign({ vendor: 'Fedora Project' }, { id: 'rhel', idLike: ['fedora'] }), true)
})

test('who is not known to be another counts as the distribution', () => {
  assert.equal(isForeign({}, { id: 'rhel', idLike: [] }), false)
  assert.equal(isForeign({ vendor: 'any' }, undefined), false)
  assert.equal(isForeign({ vendor: 'any' }, { id: 'debian', idLike: [] }), false)
})
