import { overSqlite } from '../store/suites/over.ts'
import { accountsSuite } from './suites/accounts.ts'
import { signInSuite } from './suites/signin.ts'

await overSqlite('access', [accountsSuite, signInSuite])
