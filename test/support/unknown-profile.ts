/** What an agent says of itself that says nothing. */
export { UNSAID as UNKNOWN_PROFILE } from '../../src/actors/admission/profile.js'
