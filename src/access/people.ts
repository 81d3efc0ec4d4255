/** Accounts and mail: what every other part of this room stands on. */
import type { RunningPlugin } from '../app/plugin.js'
import { every } from '../kit/clock.js'
import { AccountTokens } from './accounts/account-tokens.js'
import { Accounts } from './accounts/accounts.js'
import { Attempts } from './accounts/attempts.js'
import { authEndpoints } from './accounts/auth-endpoints.js'
import { Codes } from './mail/codes.js'
import { Desk } from './accounts/desk.js'
import { Door } from './accounts/door.js'
import { accessFigures, SignInCounts } from './accounts/figures.js'
import { Hashing } from './accounts/hashing.js'
import { mailEndpoint } from './mail/mail-endpoints.js'
import { Mailbox } from './mail/mailbox.js'
import { toLog } from './mail/mailer.js'
import { MailServer } from './mail/smtp.js'
import { isTls, monitorDoorEndpoints } from './accounts/monitor-door-endpoints.js'
import { monitorUserEndpoints } from './accounts/monitor-user-endpoints.js'
import { sessionEndpoint } from './accounts/session-endpoint.js'
import type { Ground, Part } from './part.js'
import { Outbox } from './mail/outbox.js'
import { signInEndpoints } from './accounts/sign-in-endpoints.js'
import { SignIns } from './accounts/sign-ins.js'
import { SignUp } from './accounts/sign-up.js'
import { Standings } from './accounts/standings.js'
import { TIMING } from './accounts/timing.js'
import { userEndpoints } from './accounts/user-endpoints.js'

/** What other parts need of this one. */
export interface People extends Part, Required<Pick<RunningPlugin, 'recognise'>> {
  readonly accounts: Accounts
  readonly outbox: Outbox
  /** Sends the mail that waits. */
  readonly wakeMail: () => void
}

export async function startPeople({ mesh, host, room }: Ground): Promise<People> {
  const { clock, random, log, revocations } = host
  const accounts = new Accounts({ room, clock, random })
  const signIns = new SignIns({ room, clock, random })
  const standings = new Standings({ clock, accounts, signIns, revocations })
  const hashing = new Hashing(random)
  const counts = new SignInCounts()
  const tokens = new AccountTokens({
    clock,
    serverId: mesh.serverId,
    keys: host.signingKeys('account tokens'),
  })
  const audit: typeof host.audit = event => host.audit(event)
  const attempts = new Attempts(clock)
  const { passwordMin, promoteSecret, signUp: mode, mode: ground, smtpUrl, mailFrom } = host.config
  const common = { accounts, standings, hashing, attempts, audit, passwordMin }
  const door = new Door({ ...common, signIns, tokens, counts })
  const desk = new Desk({ ...common, door })
  const mailServer =
    smtpUrl === null || mailFrom === null ? null : new MailServer({ url: smtpUrl, from: mailFrom, clock })
  const outbox = new Outbox({
    clock,
    room,
    vault: host.vault,
    send: mailServer === null ? toLog(log, ground !== 'production') : letter => mailServer.send(letter),
    failed: (error, mailId, isOver) =>
      log.warn(
        { err: error, mailId },
        isOver ? 'a mail was refused for good' : 'a mail did not leave; it is tried again',
      ),
  })
  const failed = (error: unknown) => log.debug({ err: error }, 'accounts could not be looked at')
  let busy = Promise.resolve()
  const inTurn = (work: () => Promise<void>) => () => {
    busy = busy.then(work).catch(failed)
  }
  const wake = inTurn(() => outbox.deliver())
  const codes = new Codes(clock, random)
  const mailbox = new Mailbox({ ...common, clock, room, codes, outbox, wake, failed })
  const signUp = new SignUp({ ...common, clock, random, mailbox, wake, mode, promoteSecret, failed })

  // Tokens that were ended by the process before are not good again.
  await standings.look()
  const stops = [
    every(
      clock,
      TIMING.lookEveryMs,
      inTurn(() => standings.look()),
    ),
    every(clock, TIMING.mailEveryMs, wake),
    every(
      clock,
      TIMING.tidyEveryMs,
      inTurn(async () => {
        await signIns.tidy()
        await outbox.tidy()
      }),
    ),
  ]
  return {
    accounts,
    outbox,
    wakeMail: wake,
    routes: [
      ...signInEndpoints(door),
      ...userEndpoints({ accounts, desk, random }),
      ...authEndpoints({ accounts, door, signUp, mailbox, nowMs: () => clock.wallMs() }),
      ...monitorDoorEndpoints({ door, nowMs: () => clock.wallMs(), isTls: isTls(host.config) }),
      ...monitorUserEndpoints({ accounts, desk }),
      sessionEndpoint({ signIns, nowMs: () => clock.wallMs() }),
      mailEndpoint(outbox),
    ],
    figures: accessFigures(counts),
    recognise(bearer) {
      const claims = tokens.read(bearer)
      if (claims === 'foreign') return null
      return claims === 'bad' ? { kind: 'stranger', bearer: null } : standings.callerOf(claims)
    },
    async stop() {
      for (const stop of stops) stop()
      await signUp.settled()
      await mailbox.settled()
      await mailServer?.close()
      await busy
    },
  }
}
