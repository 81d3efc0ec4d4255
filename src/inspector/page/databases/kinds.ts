/** Monitored servers and what they tell, as the coordinator answers. Types only. */
import type { z } from 'zod'
import type { Replication as ReplicationForm } from '../../../pgmon/figures/forms.js'
import type { TrialForm } from '../../../pgmon/servers/trial.js'

export type {
  Activity,
  AdviceList,
  Locks,
  Session,
  Signalled,
  Statement,
  Statements,
  Table,
  Tables,
  UnusedIndex,
  Waiting,
} from '../../../pgmon/activity/forms.js'
export type { DatabaseRow, Disk, ServerStats } from '../../../pgmon/figures/forms.js'
export type { Unknown } from '../../../pgmon/forms.js'
export type {
  Collector,
  History,
  LogRow,
  RoundForm,
  SettingsForm,
  TablesGrowth,
  VisitForm,
} from '../../../pgmon/history/forms.js'
export type { PoolProfile, Tls } from '../../../pgmon/ports.js'
export type { ServerForm, ServerRow, Status } from '../../../pgmon/servers/forms.js'
export type { SshTest } from '../../../pgmon/disks/forms.js'
export type { SshKeyForm } from '../../../pgmon/ssh-keys/forms.js'

export type Replication = z.output<typeof ReplicationForm>

export type ServerTest = z.output<typeof TrialForm>
