import type { DatabaseSync } from 'node:sqlite'
import { hashRobotToken, newRobotToken } from '../../src/access/robot-token.ts'

const [users, robots] = [200, 500]

/** People and robots with their grants. Nobody knows a password or a token of theirs. */
export function accountRows(db: DatabaseSync, at: number): void {
  const { password } = db.prepare(`select password from users where name = 'admin'`).get() as { password: string }
  const user = db.prepare('insert into users (name, password, created_at) values (?, ?, ?)')
  const robot = db.prepare('insert into robots (name, token_hash, created_at, expires_at) values (?, ?, ?, null)')
  const grant = db.prepare('insert into grants (principal_kind, principal_name, action, pattern) values (?, ?, ?, ?)')
  const unknown = `${password.slice(0, -8)}AAAAAAAA`
  for (let nth = 0; nth < users; nth++) {
    user.run(`person-${nth}`, unknown, at)
    grant.run('user', `person-${nth}`, 'pull', `team${nth % 40}/**`)
  }
  for (let nth = 0; nth < robots; nth++) {
    robot.run(`ci-${nth}`, hashRobotToken(newRobotToken()), at)
    grant.run('robot', `ci-${nth}`, 'push', '**')
    robot.run(`node-${nth}`, hashRobotToken(newRobotToken()), at)
    grant.run('robot', `node-${nth}`, 'pull', '**')
  }
}
