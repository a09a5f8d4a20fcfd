// Generated from openapi.json by "npm run generate"; never edited by hand.

export interface paths {
    "/api/agents/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Agents
         * @description Agents with their hosts, page by page; retired ones are not listed.
         */
        get: operations["list_agents_api_agents_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/enrolment_tokens/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tokens
         * @description Tokens without their text, newest first.
         */
        get: operations["list_tokens_api_agents_enrolment_tokens_get"];
        put?: never;
        /**
         * Issue Token
         * @description Makes a token that works once, for at most an hour; its text is shown here only.
         */
        post: operations["issue_token_api_agents_enrolment_tokens_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/enrolment_tokens/gateway/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where Agents Connect
         * @description The address for the line that enrols an agent; who may run a token's line may read it.
         */
        get: operations["where_agents_connect_api_agents_enrolment_tokens_gateway_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/enrolment_tokens/{token_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Token
         * @description Makes an unused token worthless; 409 `enrolment_token_spent`.
         */
        delete: operations["revoke_token_api_agents_enrolment_tokens__token_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Agent
         * @description One agent with its inventory.
         */
        get: operations["show_agent_api_agents__agent_id__get"];
        put?: never;
        post?: never;
        /**
         * Retire Agent
         * @description Ends an identity for good; the host stays and can enrol again.
         */
        delete: operations["retire_agent_api_agents__agent_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable Agent
         * @description Shuts an agent out within seconds, until it is enabled again.
         */
        post: operations["disable_agent_api_agents__agent_id__disable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/enable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable Agent
         * @description Lets a disabled agent in again; 409 `agent_retired`.
         */
        post: operations["enable_agent_api_agents__agent_id__enable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/quarantine/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Quarantine Agent
         * @description Shuts an agent out within seconds, until somebody releases it or its host enrols anew.
         */
        post: operations["quarantine_agent_api_agents__agent_id__quarantine_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/release/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Release Agent
         * @description Lets a quarantined agent in again, after somebody has looked; 409 `agent_retired`.
         */
        post: operations["release_agent_api_agents__agent_id__release_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/captcha/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * New Captcha
         * @description A picture to be answered with the next login; 429 `too_many_captchas` for hoarders.
         */
        get: operations["new_captcha_api_auth_captcha_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/groups/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List User Groups
         * @description Groups, page by page.
         */
        get: operations["list_user_groups_api_auth_groups_get"];
        put?: never;
        /**
         * Create User Group
         * @description Makes a group; 409 `group_name_taken`, 403 `exceeds_own_rights`.
         */
        post: operations["create_user_group_api_auth_groups_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/groups/{group_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show User Group
         * @description One group.
         */
        get: operations["show_user_group_api_auth_groups__group_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete User Group
         * @description Deletes a group; its members stay users. 409 `last_admin`.
         */
        delete: operations["delete_user_group_api_auth_groups__group_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change User Group
         * @description Changes a group for all its members; 409 `group_name_taken`, `last_admin`.
         */
        patch: operations["change_user_group_api_auth_groups__group_id__patch"];
        trace?: never;
    };
    "/api/auth/groups/{group_id}/members/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List User Group Members
         * @description Who is in a group, page by page.
         */
        get: operations["list_user_group_members_api_auth_groups__group_id__members_get"];
        put?: never;
        /**
         * Add User Group Members
         * @description Users join, all or none; 404 `user_not_found`, 403 `exceeds_own_rights`.
         */
        post: operations["add_user_group_members_api_auth_groups__group_id__members_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/groups/{group_id}/members/{user_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove User Group Member
         * @description A user leaves; 404 `user_not_found`, 409 `last_admin`.
         */
        delete: operations["remove_user_group_member_api_auth_groups__group_id__members__user_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Login
         * @description Opens a session: a cookie for browsers, a pair of tokens for other clients.
         *
         *     Wrong credentials are 401 `invalid_credentials`, whatever is wrong. After some of them comes
         *     401 `captcha_required` (or `captcha_wrong`), after too many 429 `too_many` with Retry-After.
         *     With the right password 401 `otp_required` asks for a second factor, 401
         *     `otp_enrolment_required` for setting one up first; 401 `otp_refused` is a wrong or used code.
         */
        post: operations["login_api_auth_login_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Logout
         * @description Ends the session with its cookie and tokens.
         *
         *     Who came in through an identity provider is still logged in there: `continue_at` is where a
         *     browser ends that, too, if the provider states such a place.
         */
        post: operations["logout_api_auth_logout_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Me
         * @description Who the caller is and what the caller may do; an API token sees its own permissions.
         */
        get: operations["me_api_auth_me_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change Profile
         * @description Changes what is known about the caller; 403 `not_by_api_token`.
         */
        patch: operations["change_profile_api_auth_me_patch"];
        trace?: never;
    };
    "/api/auth/mfa/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable
         * @description Turns the factor off; needs the password and a code.
         *
         *     Where a second factor is required, all logins of the caller end.
         */
        post: operations["disable_api_auth_mfa_disable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/enrolment/setup/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set Up Before Login
         * @description For somebody whose login was answered `otp_enrolment_required`; 401 `enrolment_refused`.
         */
        post: operations["set_up_before_login_api_auth_mfa_enrolment_setup_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/enrolment/verify/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify Before Login
         * @description Turns the factor on; then log in with the authenticator's next code.
         */
        post: operations["verify_before_login_api_auth_mfa_enrolment_verify_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/recovery_codes/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew Recovery Codes
         * @description Ten new recovery codes; the old ones are worth nothing from now on.
         */
        post: operations["renew_recovery_codes_api_auth_mfa_recovery_codes_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/setup/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set Up
         * @description A new secret with its QR code; it counts after `verify`.
         *
         *     422 `current_password_wrong`, 409 `second_factor_on` or `second_factor_elsewhere`.
         */
        post: operations["set_up_api_auth_mfa_setup_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/status/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Status
         * @description Whether the caller's second factor is on, and whether it has to be.
         */
        get: operations["show_status_api_auth_mfa_status_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/users/{user_id}/reset/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset
         * @description Takes the factor of somebody who lost it away, and ends that user's logins.
         */
        post: operations["reset_api_auth_mfa_users__user_id__reset_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/mfa/verify/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify
         * @description Turns the factor on with a first code and answers with recovery codes; 422 `otp_wrong`.
         */
        post: operations["verify_api_auth_mfa_verify_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/oidc/{provider}/callback/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Come Back
         * @description Opens the session and sends the browser on; to the page of the login if that fails.
         *
         *     There the code of the error is in `error`: `oidc_refused`, `oidc_unavailable`, `too_many`.
         */
        get: operations["come_back_api_auth_oidc__provider__callback_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/oidc/{provider}/prove/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove
         * @description Where the browser has to go to prove again to be the person of this login.
         *
         *     The provider asks anew, whatever it remembers; afterwards the browser is sent to `return_to`
         *     and `GET /api/auth/step_up/` says until when the proof holds.
         */
        post: operations["prove_api_auth_oidc__provider__prove_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/oidc/{provider}/start/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Start
         * @description Sends the browser to the provider; afterwards it goes to `return_to`, a path of this site.
         */
        get: operations["start_api_auth_oidc__provider__start_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/options/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Options
         * @description What the page of the login offers: captcha, directory, identity providers, second factor.
         */
        get: operations["show_options_api_auth_options_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change Password
         * @description Changes the caller's password; all other sessions of the caller end.
         */
        post: operations["change_password_api_auth_password_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh
         * @description Exchanges a refresh token for a new pair; each works once, and using one again ends all.
         */
        post: operations["refresh_api_auth_refresh_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/roles/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Roles
         * @description The roles and what each allows; there are few, so this list has no pages.
         */
        get: operations["list_roles_api_auth_roles_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Own Sessions
         * @description The caller's logins, the latest use first; there are few, so this list has no pages.
         */
        get: operations["list_own_sessions_api_auth_sessions_get"];
        put?: never;
        post?: never;
        /**
         * End All Own Sessions
         * @description Signs out everywhere; with `but_current` the login of this request stays.
         */
        delete: operations["end_all_own_sessions_api_auth_sessions_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{session_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End Own Session
         * @description Ends one of the caller's logins; 404 `session_not_found` for anybody else's.
         */
        delete: operations["end_own_session_api_auth_sessions__session_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/step_up/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Proof
         * @description Until when this login counts as proved, and what a new proof consists of.
         */
        get: operations["show_proof_api_auth_step_up_get"];
        put?: never;
        /**
         * Prove
         * @description Proves with password, and code where there is one, that it is still the same person.
         *
         *     The answer says until when that opens delicate things (403 `step_up_required`) for this login.
         *     422 `proof_refused` whatever was wrong; failures count as those of logins do, and after too
         *     many comes 429 `too_many` with Retry-After. 409 `proof_elsewhere` for who has no password here.
         */
        post: operations["prove_api_auth_step_up_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/tokens/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Own Tokens
         * @description The caller's API tokens; there are at most fifty, so this list has no pages.
         */
        get: operations["list_own_tokens_api_auth_tokens_get"];
        put?: never;
        /**
         * Create Token
         * @description Makes an API token, told in this answer and never again.
         *
         *     403 `exceeds_own_rights` or `not_by_api_token`, 409 `token_name_taken` or `too_many_tokens`,
         *     422 `token_expiry_refused`.
         */
        post: operations["create_token_api_auth_tokens_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/tokens/{token_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Own Token
         * @description Ends one of the caller's API tokens; 404 `token_not_found` for anybody else's.
         */
        delete: operations["revoke_own_token_api_auth_tokens__token_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Users
         * @description Users, page by page.
         */
        get: operations["list_users_api_auth_users_get"];
        put?: never;
        /**
         * Create User
         * @description Makes a user, with a password or with one for the first login, told in this answer.
         *
         *     409 `username_taken`, 422 `password_refused`, 403 `exceeds_own_rights` for roles that allow
         *     more than the caller holds.
         */
        post: operations["create_user_api_auth_users_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show User
         * @description One user.
         */
        get: operations["show_user_api_auth_users__user_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete User
         * @description Takes a user away for good; the name stays taken. 409 `last_admin`.
         */
        delete: operations["delete_user_api_auth_users__user_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change User
         * @description Changes profile or roles, enables or disables; 409 `last_admin`, 403 `exceeds_own_rights`.
         */
        patch: operations["change_user_api_auth_users__user_id__patch"];
        trace?: never;
    };
    "/api/auth/users/{user_id}/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable User
         * @description Locks a user out everywhere, within seconds; 409 `last_admin`.
         */
        post: operations["disable_user_api_auth_users__user_id__disable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/enable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable User
         * @description Lets a disabled user in again; what was running for the user has ended meanwhile.
         */
        post: operations["enable_user_api_auth_users__user_id__enable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/reset_password/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset Password
         * @description A password for one login, which has to be followed by a new one; every session ends.
         */
        post: operations["reset_password_api_auth_users__user_id__reset_password_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/sessions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Sessions Of User
         * @description Where a user is logged in.
         */
        get: operations["list_sessions_of_user_api_auth_users__user_id__sessions_get"];
        put?: never;
        post?: never;
        /**
         * End Sessions Of User
         * @description Signs a user out everywhere; API tokens stay. 403 `exceeds_own_rights`.
         */
        delete: operations["end_sessions_of_user_api_auth_users__user_id__sessions_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/tokens/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tokens Of User
         * @description The API tokens of a user.
         */
        get: operations["list_tokens_of_user_api_auth_users__user_id__tokens_get"];
        put?: never;
        post?: never;
        /**
         * Revoke Tokens Of User
         * @description Ends all API tokens of a user; 403 `exceeds_own_rights`.
         */
        delete: operations["revoke_tokens_of_user_api_auth_users__user_id__tokens_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/tokens/{token_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Token Of User
         * @description Ends one API token of a user; 404 `token_not_found`.
         */
        delete: operations["revoke_token_of_user_api_auth_users__user_id__tokens__token_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/command_rules/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Rules
         * @description Rules, by name.
         */
        get: operations["list_rules_api_executor_command_rules_get"];
        put?: never;
        /**
         * Create Rule
         * @description Makes a rule; 409 `rule_name_taken`, 422 `rule_pattern_invalid` or `rule_incomplete`.
         */
        post: operations["create_rule_api_executor_command_rules_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/command_rules/check/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check Script
         * @description What the rules say about a script, with its lines; nothing is stored or run.
         */
        post: operations["check_script_api_executor_command_rules_check_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/command_rules/{rule_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Rule
         * @description One rule.
         */
        get: operations["show_rule_api_executor_command_rules__rule_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Rule
         * @description Deletes a rule.
         */
        delete: operations["delete_rule_api_executor_command_rules__rule_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Rule
         * @description Changes a rule; counts for everything that starts two seconds later.
         */
        patch: operations["change_rule_api_executor_command_rules__rule_id__patch"];
        trace?: never;
    };
    "/api/executor/execution-records/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Executions
         * @description Executions, newest first; `search` looks in names, users and for an exact id.
         */
        get: operations["list_executions_api_executor_execution_records_get"];
        put?: never;
        /**
         * Run Execution
         * @description Run one or many steps on hosts. With an `Idempotency-Key` a repeated request starts nothing.
         *
         *     The answer 201 means that the execution, all its steps and their tasks are stored and will run;
         *     a repeated request is answered with 200 and the same id.
         */
        post: operations["run_execution_api_executor_execution_records_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/bulk_stop/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop Many
         * @description Stop many executions; each is answered for itself, in the order of the request.
         */
        post: operations["stop_many_api_executor_execution_records_bulk_stop_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/preview/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview Execution
         * @description What such an execution would do: hosts and whether they are there, batches, steps.
         */
        post: operations["preview_execution_api_executor_execution_records_preview_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Execution
         * @description One execution with its steps and the first 1,000 tasks.
         */
        get: operations["show_execution_api_executor_execution_records__execution_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Execution
         * @description End what has not started for good, and ask the hosts to stop what runs.
         */
        post: operations["cancel_execution_api_executor_execution_records__execution_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/collected/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download Collected
         * @description A tar with a folder for each host that has brought something, made while it is sent.
         */
        get: operations["download_collected_api_executor_execution_records__execution_id__collected_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/force_terminate/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Force Terminate
         * @description End every task now as cancelled, also on hosts that do not answer.
         *
         *     Hosts are still asked to stop, for a day; what they report is kept as a late outcome.
         */
        post: operations["force_terminate_api_executor_execution_records__execution_id__force_terminate_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/ignore_step_error/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ignore Step Error
         * @description Let a failed step count as a success and go on behind it, also after the end.
         */
        post: operations["ignore_step_error_api_executor_execution_records__execution_id__ignore_step_error_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read Log
         * @description Stored output in the order of arrival, from a position that an earlier answer gave.
         *
         *     With `tail` it begins with the last so many lines instead.
         */
        get: operations["read_log_api_executor_execution_records__execution_id__logs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/logs/download/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download Log
         * @description The output of an execution, a step or a host; colours are kept, streams lie apart in a zip.
         *
         *     Where bytes are missing a line says how many and why.
         */
        get: operations["download_log_api_executor_execution_records__execution_id__logs_download_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/logs/lines/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read Lines
         * @description Lines by number, of the whole execution or of a host, a step or a stream of it.
         */
        get: operations["read_lines_api_executor_execution_records__execution_id__logs_lines_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/logs/search/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search Log
         * @description Lines that hold a text or match a regular expression, of one host or across all.
         *
         *     An answer comes within about a second. With a `next_cursor` there is more to look through.
         */
        get: operations["search_log_api_executor_execution_records__execution_id__logs_search_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/operation_logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Operations
         * @description Who did what to an execution, newest first.
         */
        get: operations["list_operations_api_executor_execution_records__execution_id__operation_logs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/output_groups/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Group Outputs
         * @description Hosts by what they said: colours, blanks at line ends and, unless refused, each host's own
         *     name and address make no difference.
         */
        get: operations["group_outputs_api_executor_execution_records__execution_id__output_groups_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/output_groups/diff/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare Outputs
         * @description How group `b` differs from group `a`, or from the majority.
         */
        get: operations["compare_outputs_api_executor_execution_records__execution_id__output_groups_diff_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/pause/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause Execution
         * @description Start nothing more; what runs on hosts goes on.
         */
        post: operations["pause_execution_api_executor_execution_records__execution_id__pause_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/resume/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume Execution
         * @description Go on after a pause by somebody, by a failure threshold or between batches.
         */
        post: operations["resume_execution_api_executor_execution_records__execution_id__resume_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/retry/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Execution
         * @description Repeat a finished execution as a new record: all of it, one step, or its failed hosts.
         *
         *     With an `Idempotency-Key` a repeated request starts nothing and is answered with 200.
         */
        post: operations["retry_execution_api_executor_execution_records__execution_id__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/retry_history/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Retry History
         * @description The first execution and all that repeat it, oldest first.
         */
        get: operations["retry_history_api_executor_execution_records__execution_id__retry_history_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/retry_step/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Step
         * @description Begin a new attempt on hosts of a step, in place, also after the end.
         */
        post: operations["retry_step_api_executor_execution_records__execution_id__retry_step_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/steps/{step_id}/confirm/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm Step
         * @description Answer a confirmation step, or whether the next batch of a step may start.
         *
         *     Where a step names people or roles, exactly those may answer; otherwise whoever may operate.
         */
        post: operations["confirm_step_api_executor_execution_records__execution_id__steps__step_id__confirm_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/steps/{step_id}/content/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Step Content
         * @description A step as written and as a host is given it; secrets are asterisks.
         */
        get: operations["step_content_api_executor_execution_records__execution_id__steps__step_id__content_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/steps/{step_id}/hosts/{host_id}/logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read Host Log
         * @description The output of one step on one host, line by line behind a pointer.
         */
        get: operations["read_host_log_api_executor_execution_records__execution_id__steps__step_id__hosts__host_id__logs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/steps/{step_id}/result/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Step Result
         * @description What came of a step over all hosts, and host by host in pages.
         */
        get: operations["step_result_api_executor_execution_records__execution_id__steps__step_id__result_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/steps/{step_id}/skip/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Skip Step
         * @description Leave out a step that has not ended; hosts that run it are asked to stop.
         */
        post: operations["skip_step_api_executor_execution_records__execution_id__steps__step_id__skip_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/tasks/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tasks
         * @description The tasks of an execution or of one of its steps; waiting ones say why they wait.
         */
        get: operations["list_tasks_api_executor_execution_records__execution_id__tasks_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/tasks/{task_id}/attempts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Attempts
         * @description How the earlier attempts of a task ended, oldest first.
         */
        get: operations["list_attempts_api_executor_execution_records__execution_id__tasks__task_id__attempts_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/tasks/{task_id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Task
         * @description End the task of one host: at once if nobody claimed it, otherwise by asking the host.
         */
        post: operations["cancel_task_api_executor_execution_records__execution_id__tasks__task_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/trace/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Trace Execution
         * @description Who or what started it, what it repeats, what repeats it, and runs of the same name.
         */
        get: operations["trace_execution_api_executor_execution_records__execution_id__trace_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/variables/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Variables
         * @description What was given at launch, defaults, values that steps left, and built-ins.
         */
        get: operations["list_variables_api_executor_execution_records__execution_id__variables_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/security_events/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Security Events
         * @description Orders and reports that were refused because nobody honest sends them, newest first.
         */
        get: operations["list_security_events_api_executor_security_events_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Files
         * @description Your files, newest first; of everybody for those who may do everything.
         */
        get: operations["list_files_api_files_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/uploads/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start Upload
         * @description Announce a file with its size and SHA-256, then send pieces to the upload's address.
         *
         *     With `file` in the answer the content is yours already and nothing needs to be sent.
         */
        post: operations["start_upload_api_files_uploads_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/uploads/{upload_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Upload
         * @description How far an upload is; the next piece begins at `offset`.
         */
        get: operations["show_upload_api_files_uploads__upload_id__get"];
        /**
         * Send Piece
         * @description Append a piece of at most `chunk_bytes`, as raw bytes.
         *
         *     Its place is given as `Content-Range: bytes 0-1048575/5000000` or as `offset`. A piece that
         *     begins elsewhere than where the upload stands is answered with 409 and the right offset.
         */
        put: operations["send_piece_api_files_uploads__upload_id__put"];
        post?: never;
        /**
         * Cancel Upload
         * @description Throw away what has come of an upload.
         */
        delete: operations["cancel_upload_api_files_uploads__upload_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/uploads/{upload_id}/complete/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Complete Upload
         * @description Check the SHA-256 of the whole and enter the file into the library; may be repeated.
         */
        post: operations["complete_upload_api_files_uploads__upload_id__complete_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/usage/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Usage
         * @description What your files take, and what they may take.
         */
        get: operations["show_usage_api_files_usage_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{file_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show File
         * @description One file.
         */
        get: operations["show_file_api_files__file_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete File
         * @description Remove a file; refused while an execution that has not ended sends it.
         */
        delete: operations["delete_file_api_files__file_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{file_id}/content/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download File
         * @description The content, whole or a single range of it; always an attachment of unknown kind.
         */
        get: operations["download_file_api_files__file_id__content_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Hosts
         * @description Hosts, page by page. Unknown parameters are refused; of a repeated one the last counts.
         */
        get: operations["list_hosts_api_hosts_get"];
        put?: never;
        /**
         * Register Host
         * @description Adds a host; 409 `host_name_taken` or `host_address_taken`, 404 `group_not_found`.
         *
         *     Two hosts may not have the same address and port, in whatever spelling, unless the address is
         *     a loopback address or `allow_shared_address` is set.
         */
        post: operations["register_host_api_hosts_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/groups/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Groups
         * @description Groups, page by page; the tree follows from `parent_id`.
         */
        get: operations["list_groups_api_hosts_groups_get"];
        put?: never;
        /**
         * Create Group
         * @description Makes a group; 409 `group_name_taken` or `group_too_deep`, 404 for an unknown parent.
         */
        post: operations["create_group_api_hosts_groups_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/groups/{group_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Group
         * @description One group.
         */
        get: operations["show_group_api_hosts_groups__group_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Group
         * @description Deletes a group without subgroups; its hosts stay. 409 `group_has_subgroups`.
         */
        delete: operations["delete_group_api_hosts_groups__group_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Group
         * @description Renames or moves a group; 409 `group_cycle`.
         */
        patch: operations["change_group_api_hosts_groups__group_id__patch"];
        trace?: never;
    };
    "/api/hosts/{host_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Host
         * @description One host.
         */
        get: operations["show_host_api_hosts__host_id__get"];
        put?: never;
        post?: never;
        /**
         * Retire Host
         * @description Takes a host out of the inventory; its agent is retired and its tokens are revoked.
         */
        delete: operations["retire_host_api_hosts__host_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Host
         * @description Changes the fields that are given.
         */
        patch: operations["change_host_api_hosts__host_id__patch"];
        trace?: never;
    };
    "/api/permissions/approvals/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Approvals
         * @description Approvals that the caller asked for or may decide; all of them with `permissions:read`.
         */
        get: operations["list_approvals_api_permissions_approvals_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/approvals/{approval_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Approval
         * @description One approval with its votes and with what is approved.
         */
        get: operations["show_approval_api_permissions_approvals__approval_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/approvals/{approval_id}/decide/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide Approval
         * @description Yes or no, once; 403 `approval_not_yours`, 409 `approval_closed`, `decided_already`.
         *
         *     A yes is delicate: 403 `step_up_required` for a login whose proof is old; a no never asks.
         */
        post: operations["decide_approval_api_permissions_approvals__approval_id__decide_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/audit-logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Audit Logs
         * @description What was done, newest first; `next_cursor` leads on. Unknown parameters are refused.
         */
        get: operations["list_audit_logs_api_permissions_audit_logs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/audit-logs/export/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Audit Logs
         * @description Everything that matches as CSV, XLSX or JSON lines; the export itself is recorded.
         *
         *     422 `export_too_large` where a sheet could not hold it.
         */
        get: operations["export_audit_logs_api_permissions_audit_logs_export_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/audit-logs/{record_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Audit Log
         * @description One record with what changed and its place in the chain.
         */
        get: operations["show_audit_log_api_permissions_audit_logs__record_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/catalogue/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Catalogue
         * @description What grants are made of, and which permission means the same for all objects.
         */
        get: operations["catalogue_api_permissions_catalogue_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/check/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check
         * @description Whether the caller may do things with an object now; a missing object is a plain no.
         */
        post: operations["check_api_permissions_check_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/check/many/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check Many
         * @description Many such questions, answered in their order.
         */
        post: operations["check_many_api_permissions_check_many_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/explain/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Explain
         * @description Why somebody may or may not do something; of others only with `permissions:read`.
         */
        post: operations["explain_api_permissions_explain_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/grants/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Grants
         * @description Grants, newest first; without `permissions:read` only those that the caller gave.
         */
        get: operations["list_grants_api_permissions_grants_get"];
        put?: never;
        /**
         * Create Grant
         * @description Gives something; 403 `exceeds_own_rights`, 404 `subject_not_found`.
         */
        post: operations["create_grant_api_permissions_grants_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/grants/{grant_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Grant
         * @description One grant.
         */
        get: operations["show_grant_api_permissions_grants__grant_id__get"];
        put?: never;
        post?: never;
        /**
         * Revoke Grant
         * @description Takes a grant back at once; the record stays.
         */
        delete: operations["revoke_grant_api_permissions_grants__grant_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Grant
         * @description Changes end, hours or reason; 409 `grant_over`, 403 `exceeds_own_rights`.
         */
        patch: operations["change_grant_api_permissions_grants__grant_id__patch"];
        trace?: never;
    };
    "/api/permissions/my/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * My Permissions
         * @description Everything that the caller may do, by roles and by grants.
         */
        get: operations["my_permissions_api_permissions_my_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/permissions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Permissions
         * @description Every permission that a role may hold, with its meaning.
         */
        get: operations["list_permissions_api_permissions_permissions_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/resource-permissions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resource Permissions
         * @description Which of these actions the caller may take on each of these objects.
         */
        post: operations["resource_permissions_api_permissions_resource_permissions_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/roles/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Roles
         * @description The roles and what each allows; there are few, so this list has no pages.
         */
        get: operations["list_roles_api_permissions_roles_get"];
        put?: never;
        /**
         * Create Role
         * @description Makes a custom role; 409 `role_name_taken`, 403 `exceeds_own_rights`.
         */
        post: operations["create_role_api_permissions_roles_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/roles/{role_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Role
         * @description One role.
         */
        get: operations["show_role_api_permissions_roles__role_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Role
         * @description Deletes a custom role; 409 `role_in_use` while a user or group holds it.
         */
        delete: operations["delete_role_api_permissions_roles__role_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Role
         * @description Changes a role for all who hold it; 409 `role_is_built_in`, 403 `exceeds_own_rights`.
         */
        patch: operations["change_role_api_permissions_roles__role_id__patch"];
        trace?: never;
    };
    "/api/permissions/templates/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Templates
         * @description Templates of grants; there are few, so this list has no pages.
         */
        get: operations["list_templates_api_permissions_templates_get"];
        put?: never;
        /**
         * Create Template
         * @description Makes a template; it gives nobody anything by itself. 409 `template_name_taken`.
         */
        post: operations["create_template_api_permissions_templates_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/templates/{template_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Template
         * @description One template.
         */
        get: operations["show_template_api_permissions_templates__template_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Template
         * @description Deletes a template; grants made of it stay.
         */
        delete: operations["delete_template_api_permissions_templates__template_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Template
         * @description Changes a template; grants made of it stay as they are.
         */
        patch: operations["change_template_api_permissions_templates__template_id__patch"];
        trace?: never;
    };
    "/api/permissions/templates/{template_id}/apply/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Apply Template
         * @description Gives every part to every subject, all or nothing; 403 `exceeds_own_rights`.
         */
        post: operations["apply_template_api_permissions_templates__template_id__apply_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/user-permissions/{user_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * User Permissions
         * @description The same of any user; of others only with `permissions:read`.
         */
        get: operations["user_permissions_api_permissions_user_permissions__user_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/view-as/{user_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * View As
         * @description What a user may do and see now, for looking only; recorded in the audit log.
         */
        get: operations["view_as_api_permissions_view_as__user_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/permissions/who-can/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who Can
         * @description Who may do something now, and by which permission or grant.
         */
        get: operations["who_can_api_permissions_who_can_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/quick/collect_files/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Collect Files
         * @description Fetch files from hosts: one archive for each host, kept in the library for some days.
         *
         *     All of them together: `GET /api/executor/execution-records/{execution_id}/collected/`.
         */
        post: operations["collect_files_api_quick_collect_files_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/quick/execute_script/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Execute Script
         * @description Run a script on hosts. With an `Idempotency-Key` a repeated request starts nothing new.
         *
         *     The answer 201 means that the execution and all its tasks are stored and will run; a repeated
         *     request is answered with 200 and the same id.
         */
        post: operations["execute_script_api_quick_execute_script_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/quick/transfer_file/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Transfer File
         * @description Send files to hosts, from the library, from this form, or from other hosts.
         *
         *     The answer 201 means that everything is stored and will be sent; a repeated request with the
         *     same `Idempotency-Key` is answered with 200 and the same id.
         */
        post: operations["transfer_file_api_quick_transfer_file_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/realtime/sse/{kind}/{execution_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow Execution
         * @description Follow an execution's output (`logs`), its states (`status`) or both (`combined`).
         *
         *     Every event's id resumes exactly behind it. The stream ends with the event `end`.
         */
        get: operations["follow_execution_api_realtime_sse__kind___execution_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Accepted
         * @description The execution is stored and will run, whatever happens next.
         */
        Accepted: {
            /** Execution Id */
            execution_id: string;
            /** Id */
            id: string;
            /** Status */
            status: string;
            /** Task Count */
            task_count: number;
            /** Created */
            created: boolean;
            /** Findings */
            findings?: components["schemas"]["FindingOut"][];
            /** Approvals */
            approvals?: components["schemas"]["ConsentOut"][];
        };
        /**
         * Action
         * @description What a grant can allow. Every action includes seeing the object; nothing else follows.
         * @enum {string}
         */
        Action: "view" | "use" | "execute" | "edit" | "delete" | "grant";
        /**
         * AgentDetail
         * @description An agent with what it said about its host when it last connected.
         */
        AgentDetail: {
            /** Id */
            id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            status: components["schemas"]["AgentPresence"];
            /** Version */
            version: string;
            /** Last Seen At */
            last_seen_at: string | null;
            /** Connected At */
            connected_at: string | null;
            /**
             * Enrolled At
             * Format: date-time
             */
            enrolled_at: string;
            /** Metrics */
            metrics: {
                [key: string]: number;
            } | null;
            /** Identity Epoch */
            identity_epoch: number;
            /** Gateway Id */
            gateway_id: string | null;
            /** Public Key */
            public_key: string;
            /** Inventory */
            inventory: {
                [key: string]: unknown;
            };
            /** Quarantined At */
            quarantined_at: string | null;
            /** Quarantine Reason */
            quarantine_reason: string | null;
        };
        /**
         * AgentOut
         * @description An agent and the host it serves.
         */
        AgentOut: {
            /** Id */
            id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            status: components["schemas"]["AgentPresence"];
            /** Version */
            version: string;
            /** Last Seen At */
            last_seen_at: string | null;
            /** Connected At */
            connected_at: string | null;
            /**
             * Enrolled At
             * Format: date-time
             */
            enrolled_at: string;
            /** Metrics */
            metrics: {
                [key: string]: number;
            } | null;
        };
        /**
         * AgentPresence
         * @description How the agent of a host stands, as lists show it.
         * @enum {string}
         */
        AgentPresence: "online" | "offline" | "disabled" | "quarantined" | "none";
        /**
         * AllOf
         * @description True when all are.
         */
        AllOf: {
            /** All */
            all: (components["schemas"]["StepIs"] | components["schemas"]["VariableIs"] | components["schemas"]["AllOf"] | components["schemas"]["AnyOf"] | components["schemas"]["NotOf"])[];
        };
        /**
         * AnyOf
         * @description True when one is.
         */
        AnyOf: {
            /** Any */
            any: (components["schemas"]["StepIs"] | components["schemas"]["VariableIs"] | components["schemas"]["AllOf"] | components["schemas"]["AnyOf"] | components["schemas"]["NotOf"])[];
        };
        /**
         * ApprovalDetail
         * @description An approval with what is approved, as far as whoever asked has handed it over.
         */
        ApprovalDetail: {
            /** Id */
            id: string;
            /** Subject Kind */
            subject_kind: string;
            /** Subject Id */
            subject_id: string;
            /** Subject Name */
            subject_name: string;
            /** Subject Hash */
            subject_hash: string;
            /** Requester Id */
            requester_id: number;
            /** Requester Name */
            requester_name: string;
            /** Reason */
            reason: string;
            /** Approver Ids */
            approver_ids: number[];
            /** Approver Group Ids */
            approver_group_ids: number[];
            /** Quorum */
            quorum: number;
            state: components["schemas"]["ApprovalState"];
            /** Votes */
            votes: components["schemas"]["ApprovalVote"][];
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Decided At */
            decided_at: string | null;
            /** Content */
            content: string;
        };
        /**
         * ApprovalInfo
         * @description An approval as it stands now.
         */
        ApprovalInfo: {
            /** Id */
            id: string;
            /** Subject Kind */
            subject_kind: string;
            /** Subject Id */
            subject_id: string;
            /** Subject Name */
            subject_name: string;
            /** Subject Hash */
            subject_hash: string;
            /** Requester Id */
            requester_id: number;
            /** Requester Name */
            requester_name: string;
            /** Reason */
            reason: string;
            /** Approver Ids */
            approver_ids: number[];
            /** Approver Group Ids */
            approver_group_ids: number[];
            /** Quorum */
            quorum: number;
            state: components["schemas"]["ApprovalState"];
            /** Votes */
            votes: components["schemas"]["ApprovalVote"][];
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Decided At */
            decided_at: string | null;
        };
        /**
         * ApprovalState
         * @description How an approval stands. Only `approved` lets anything happen.
         * @enum {string}
         */
        ApprovalState: "open" | "approved" | "declined" | "expired" | "withdrawn";
        /**
         * ApprovalVote
         * @description What one approver said.
         */
        ApprovalVote: {
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Approve */
            approve: boolean;
            /** Comment */
            comment: string;
            /**
             * Decided At
             * Format: date-time
             */
            decided_at: string;
        };
        /**
         * AttemptOut
         * @description How an attempt ended; the newest attempt is the task itself.
         */
        AttemptOut: {
            /** Attempt */
            attempt: number;
            status: components["schemas"]["TaskStatus"];
            /** Exit Code */
            exit_code: number | null;
            /** Signal */
            signal: number | null;
            /** Reason */
            reason: string | null;
            /** Detail */
            detail: string | null;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
            log_status: components["schemas"]["LogStatus"];
            /** Late Outcome */
            late_outcome: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * AuditDetail
         * @description One record with what changed and its place in the chain.
         */
        AuditDetail: {
            /** Id */
            id: number;
            /**
             * Occurred At
             * Format: date-time
             */
            occurred_at: string;
            /**
             * Recorded At
             * Format: date-time
             */
            recorded_at: string;
            /** User Id */
            user_id: number | null;
            /** Username */
            username: string;
            /** Actor Kind */
            actor_kind: string;
            /** Action */
            action: string;
            /** Resource Type */
            resource_type: string;
            /** Resource Id */
            resource_id: string;
            /** Resource Name */
            resource_name: string;
            /** Outcome */
            outcome: string;
            /** Success */
            success: boolean;
            /** Ip Address */
            ip_address: string;
            /** User Agent */
            user_agent: string;
            /** Request Id */
            request_id: string;
            /** Detail */
            detail: string;
            /** Repeats */
            repeats: number;
            /** Before */
            before: {
                [key: string]: components["schemas"]["JsonValue"];
            } | null;
            /** After */
            after: {
                [key: string]: components["schemas"]["JsonValue"];
            } | null;
            /** Changes */
            changes: components["schemas"]["ChangeOut"][];
            /** Trace Id */
            trace_id: string;
            /** Event Id */
            event_id: string;
            /** Prev Hash */
            prev_hash: string;
            /** Hash */
            hash: string;
        };
        /**
         * AuditOut
         * @description One record. `success` is false for what was refused or failed.
         */
        AuditOut: {
            /** Id */
            id: number;
            /**
             * Occurred At
             * Format: date-time
             */
            occurred_at: string;
            /**
             * Recorded At
             * Format: date-time
             */
            recorded_at: string;
            /** User Id */
            user_id: number | null;
            /** Username */
            username: string;
            /** Actor Kind */
            actor_kind: string;
            /** Action */
            action: string;
            /** Resource Type */
            resource_type: string;
            /** Resource Id */
            resource_id: string;
            /** Resource Name */
            resource_name: string;
            /** Outcome */
            outcome: string;
            /** Success */
            success: boolean;
            /** Ip Address */
            ip_address: string;
            /** User Agent */
            user_agent: string;
            /** Request Id */
            request_id: string;
            /** Detail */
            detail: string;
            /** Repeats */
            repeats: number;
        };
        /**
         * AuditPage
         * @description Records, newest first; `next_cursor` is null at the end.
         */
        AuditPage: {
            /** Results */
            results: components["schemas"]["AuditOut"][];
            /** Next Cursor */
            next_cursor: number | null;
        };
        /**
         * BulkStopIn
         * @description Executions to stop, each as if it were stopped alone.
         */
        BulkStopIn: {
            /** Execution Ids */
            execution_ids: string[];
            /** Reason */
            reason?: string | null;
            /** Confirmed Execution Count */
            confirmed_execution_count?: number | null;
        };
        /**
         * BulkStopItem
         * @description What became of one execution of many; `error` and `message` say why nothing did.
         */
        BulkStopItem: {
            /** Execution Id */
            execution_id: string;
            /** Success */
            success: boolean;
            status?: components["schemas"]["ExecutionStatus"] | null;
            /**
             * Cancelled
             * @default 0
             */
            cancelled?: number;
            /**
             * Cancelling
             * @default 0
             */
            cancelling?: number;
            /** Error */
            error?: string | null;
            /** Message */
            message?: string | null;
        };
        /**
         * BulkStopOut
         * @description One item for each execution, in the order of the request.
         */
        BulkStopOut: {
            /** Stopped */
            stopped: number;
            /** Failed */
            failed: number;
            /** Results */
            results: components["schemas"]["BulkStopItem"][];
        };
        /**
         * CaptchaOut
         * @description A picture to be answered once, within `expires_in` seconds, by the field captcha_value.
         *
         *     `captcha_image` is a data URL of a PNG; `captcha_key` goes back with the answer.
         */
        CaptchaOut: {
            /** Captcha Key */
            captcha_key: string;
            /** Captcha Image */
            captcha_image: string;
            /** Expires In */
            expires_in: number;
        };
        /**
         * CatalogueOut
         * @description What grants are made of.
         */
        CatalogueOut: {
            /** Object Types */
            object_types: components["schemas"]["WordOut"][];
            /** Actions */
            actions: components["schemas"]["WordOut"][];
        };
        /**
         * ChainOut
         * @description One execution of a chain.
         */
        ChainOut: {
            /** Execution Id */
            execution_id: string;
            /** Name */
            name: string;
            status: components["schemas"]["ExecutionStatus"];
            /** Parent Id */
            parent_id: string | null;
            /** Retry Count */
            retry_count: number;
            /** Retry Type */
            retry_type: string | null;
            /** Retry Reason */
            retry_reason: string | null;
            /** Is Latest */
            is_latest: boolean;
            /** Trigger */
            trigger: string;
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Task Total */
            task_total: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
        };
        /**
         * ChangeOut
         * @description One field of the object; null where it was or is not there.
         */
        ChangeOut: {
            /** Field */
            field: string;
            before: components["schemas"]["JsonValue"];
            after: components["schemas"]["JsonValue"];
        };
        /**
         * CheckIn
         * @description May the caller do these things with an object? Of running on hosts, say what and as whom.
         */
        CheckIn: {
            object_type: components["schemas"]["ObjectType"];
            /** Object Id */
            object_id: number | string;
            /** Actions */
            actions: components["schemas"]["Action"][];
            /**
             * What
             * @default adhoc
             */
            what?: string;
            /**
             * Account
             * @default @agent
             */
            account?: string;
        };
        /**
         * CheckManyIn
         * @description Several questions at once.
         */
        CheckManyIn: {
            /** Items */
            items: components["schemas"]["CheckIn"][];
        };
        /**
         * CheckOut
         * @description The answer for each action.
         */
        CheckOut: {
            object_type: components["schemas"]["ObjectType"];
            /** Object Id */
            object_id: string;
            /** Results */
            results: {
                [key: string]: boolean;
            };
        };
        /**
         * CollectRun
         * @description Files to fetch: paths, folders and patterns on hosts; one archive for each host.
         */
        CollectRun: {
            /** Name */
            name?: string | null;
            /** Target Host Ids */
            target_host_ids?: number[];
            /** Target Group Ids */
            target_group_ids?: number[];
            /**
             * Timeout
             * @default 3600
             */
            timeout?: number;
            /** Run As */
            run_as?: string | null;
            /** Not After Seconds */
            not_after_seconds?: number | null;
            strategy?: components["schemas"]["StrategyIn"] | null;
            /** @default parallel */
            execution_mode?: components["schemas"]["Mode"];
            /**
             * Rolling Strategy
             * @default fail_pause
             * @enum {string}
             */
            rolling_strategy?: "fail_pause" | "ignore_error";
            /**
             * Rolling Batch Size
             * @default 20
             */
            rolling_batch_size?: number;
            /**
             * Rolling Batch Delay
             * @default 0
             */
            rolling_batch_delay?: number;
            /**
             * Retries
             * @default 0
             */
            retries?: number;
            /**
             * Retry Delay Seconds
             * @default 0
             */
            retry_delay_seconds?: number;
            /**
             * Ignore Error
             * @default false
             */
            ignore_error?: boolean;
            /** Variables */
            variables?: {
                [key: string]: components["schemas"]["VariableIn"] | string | number | boolean | number[];
            };
            /**
             * Priority
             * @default 5
             */
            priority?: number;
            /** Confirmed Host Count */
            confirmed_host_count?: number | null;
            /** Bandwidth Limit */
            bandwidth_limit?: number | null;
            /** Total Bandwidth Limit */
            total_bandwidth_limit?: number | null;
            /** Paths */
            paths: string[];
            /** Excludes */
            excludes?: string[];
            /**
             * Max Files
             * @default 10000
             */
            max_files?: number;
            /**
             * Max Bytes
             * @default 1073741824
             */
            max_bytes?: number;
        };
        /**
         * Confirm
         * @description Somebody has to agree before the next step. Without names, whoever may run executions.
         */
        Confirm: {
            /**
             * Message
             * @default
             */
            message?: string;
            /** User Ids */
            user_ids?: number[];
            /** Roles */
            roles?: string[];
            /**
             * Expires Seconds
             * @default 86400
             */
            expires_seconds?: number;
        };
        /**
         * ConfirmIn
         * @description The answer to a confirmation step, or whether the next batch may start.
         *
         *     `batch` says which batch had ended when the question was asked, so that a repeated answer is not
         *     taken for the answer to the next question.
         */
        ConfirmIn: {
            /** Approve */
            approve: boolean;
            /** Comment */
            comment?: string | null;
            /** Batch */
            batch?: number | null;
        };
        /**
         * ConsentOut
         * @description An approval that an execution waits or waited for; `rules` are those that want it.
         *
         *     `approver_names` are the people who may give it, at most twenty of them; `detail` says who
         *     declined it, and why.
         */
        ConsentOut: {
            /** Approval Id */
            approval_id: string;
            state: components["schemas"]["ConsentState"];
            /** Rules */
            rules: string[];
            /** Approver Names */
            approver_names: string[];
            /** Quorum */
            quorum: number;
            /** Detail */
            detail: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Decided At */
            decided_at: string | null;
        };
        /**
         * ConsentState
         * @description How the consent stands that an execution waits for.
         * @enum {string}
         */
        ConsentState: "new" | "asked" | "approved" | "declined" | "expired" | "withdrawn";
        /**
         * ControlOut
         * @description What is true now that the operation is done; hosts follow within seconds.
         */
        ControlOut: {
            /** Execution Id */
            execution_id: string;
            action: components["schemas"]["ExecutionAction"];
            status: components["schemas"]["ExecutionStatus"];
            /** Pause Reason */
            pause_reason?: string | null;
        };
        /**
         * DecideIn
         * @description A yes or a no, with the hash of what was looked at.
         */
        DecideIn: {
            /** Approve */
            approve: boolean;
            /** Subject Hash */
            subject_hash: string;
            /**
             * Comment
             * @default
             */
            comment?: string;
        };
        /**
         * DiffOut
         * @description How group `b` differs from group `a`, as lines of a unified diff.
         */
        DiffOut: {
            /** A */
            a: string;
            /** B */
            b: string;
            /** Lines */
            lines: string[];
            /** Is Cut */
            is_cut: boolean;
        };
        /**
         * DisableIn
         * @description Password and a code together; a recovery code will do.
         */
        DisableIn: {
            /** Current Password */
            current_password: string;
            /** Otp Token */
            otp_token: string;
        };
        /**
         * Ended
         * @description How many logins were ended.
         */
        Ended: {
            /** Ended */
            ended: number;
        };
        Error: {
            code: number;
            message: string;
            success: boolean;
            content: {
                error: string;
                details: Record<string, never>;
                request_id: string;
            };
        };
        /**
         * Action
         * @description What somebody did to an execution.
         * @enum {string}
         */
        ExecutionAction: "pause" | "resume" | "stop" | "force_terminate" | "cancel_task" | "skip_step" | "ignore_step_error" | "retry_step" | "confirm" | "retry";
        /**
         * CheckIn
         * @description A text to look at; nothing is stored or run.
         *
         *     With hosts only the rules of their groups count, without them those of all groups. `rule` asks
         *     about a pattern alone, before it is stored.
         */
        ExecutionCheckIn: {
            /** Script Content */
            script_content: string;
            /** @default shell */
            script_type?: components["schemas"]["ScriptType"];
            /** Args */
            args?: string[];
            /** Env */
            env?: {
                [key: string]: string;
            };
            /** Target Host Ids */
            target_host_ids?: number[];
            rule?: components["schemas"]["RuleTried"] | null;
        };
        /**
         * CheckOut
         * @description What would follow: the strongest action of the rules that found something, or none.
         */
        ExecutionCheckOut: {
            action: components["schemas"]["RuleAction"] | null;
            /** Findings */
            findings: components["schemas"]["FindingOut"][];
        };
        /**
         * ExecutionDetail
         * @description An execution with its steps and at most the first 1,000 tasks of each.
         */
        ExecutionDetail: {
            /** Id */
            id: string;
            /** Execution Id */
            execution_id: string;
            /** Name */
            name: string;
            status: components["schemas"]["ExecutionStatus"];
            script_type: components["schemas"]["ScriptType"];
            /** Trigger */
            trigger: string;
            /** Execution Type */
            execution_type: string;
            /** Description */
            description: string | null;
            /** Priority */
            priority: number;
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Task Total */
            task_total: number;
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Version */
            version: number;
            /** Paused At */
            paused_at: string | null;
            pause_reason: components["schemas"]["PauseReason"] | null;
            /** Next At */
            next_at: string | null;
            /** Cancel Requested At */
            cancel_requested_at: string | null;
            /** Parent Id */
            parent_id: string | null;
            /** Root Id */
            root_id: string | null;
            /** Retry Count */
            retry_count: number;
            /** Is Latest */
            is_latest: boolean;
            /** Scheduled Job Id */
            scheduled_job_id: number | null;
            /** Client Ip */
            client_ip: string | null;
            /** User Agent */
            user_agent: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
            /** Cancel Reason */
            cancel_reason: string | null;
            /** Strategy */
            strategy: {
                [key: string]: unknown;
            };
            /** Script Content */
            script_content: string;
            /** Timeout Seconds */
            timeout_seconds: number;
            /** Args */
            args: string[];
            /** Env */
            env: {
                [key: string]: string;
            };
            /** Run As */
            run_as: string | null;
            /** Cwd */
            cwd: string | null;
            /** Steps */
            steps: components["schemas"]["StepOut"][];
            /** Tasks Total */
            tasks_total: number;
            /** Findings */
            findings: components["schemas"]["FindingOut"][];
            /** Approvals */
            approvals: components["schemas"]["ConsentOut"][];
        };
        /**
         * GroupOut
         * @description Hosts that said the same. `hosts` are the first 200 of them, `sample` how it begins.
         *
         *     `is_cut` says that the outputs are so long that only their beginnings and lengths were compared.
         */
        ExecutionGroupOut: {
            /** Hash */
            hash: string;
            /** Count */
            count: number;
            /** Lines */
            lines: number;
            /** Bytes */
            bytes: number;
            /** Sample */
            sample: string;
            /** Is Cut */
            is_cut: boolean;
            /** Hosts */
            hosts: components["schemas"]["ExecutionMemberOut"][];
        };
        /**
         * ExecutionIn
         * @description An execution of one or many steps. Priority 1 goes first, 9 last.
         */
        ExecutionIn: {
            /** Name */
            name?: string | null;
            /** Description */
            description?: string | null;
            /** Steps */
            steps: components["schemas"]["StepIn"][];
            /** Target Host Ids */
            target_host_ids?: number[] | null;
            /** Target Group Ids */
            target_group_ids?: number[] | null;
            strategy?: components["schemas"]["StrategyIn"];
            /** Variables */
            variables?: {
                [key: string]: components["schemas"]["VariableIn"] | string | number | boolean | number[];
            };
            /**
             * Priority
             * @default 5
             */
            priority?: number;
            /** Not After Seconds */
            not_after_seconds?: number | null;
            /** Confirmed Host Count */
            confirmed_host_count?: number | null;
        };
        /**
         * MemberOut
         * @description A host of a group.
         */
        ExecutionMemberOut: {
            /** Host Id */
            host_id: number;
            /** Host */
            host: string;
            /** Task Id */
            task_id: string;
        };
        /**
         * ExecutionOut
         * @description One line of the list of executions.
         */
        ExecutionOut: {
            /** Id */
            id: string;
            /** Execution Id */
            execution_id: string;
            /** Name */
            name: string;
            status: components["schemas"]["ExecutionStatus"];
            script_type: components["schemas"]["ScriptType"];
            /** Trigger */
            trigger: string;
            /** Execution Type */
            execution_type: string;
            /** Description */
            description: string | null;
            /** Priority */
            priority: number;
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Task Total */
            task_total: number;
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Version */
            version: number;
            /** Paused At */
            paused_at: string | null;
            pause_reason: components["schemas"]["PauseReason"] | null;
            /** Next At */
            next_at: string | null;
            /** Cancel Requested At */
            cancel_requested_at: string | null;
            /** Parent Id */
            parent_id: string | null;
            /** Root Id */
            root_id: string | null;
            /** Retry Count */
            retry_count: number;
            /** Is Latest */
            is_latest: boolean;
            /** Scheduled Job Id */
            scheduled_job_id: number | null;
            /** Client Ip */
            client_ip: string | null;
            /** User Agent */
            user_agent: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
        };
        /**
         * ExecutionStatus
         * @description Where an execution stands; a pure function of the states of its tasks.
         * @enum {string}
         */
        ExecutionStatus: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
        /**
         * ExplainIn
         * @description One decision to be explained; of somebody else only with `permissions:read`.
         */
        ExplainIn: {
            /** User Id */
            user_id?: number | null;
            action: components["schemas"]["Action"];
            object_type: components["schemas"]["ObjectType"];
            /** Object Id */
            object_id: number | string;
            /**
             * What
             * @default adhoc
             */
            what?: string;
            /**
             * Account
             * @default @agent
             */
            account?: string;
            /** At */
            at?: string | null;
        };
        /**
         * ExplainOut
         * @description A decision: by a permission, by one grant, or what was missing of the nearest one.
         */
        ExplainOut: {
            /** Allowed */
            allowed: boolean;
            /** Permission */
            permission: string | null;
            grant: components["schemas"]["GrantOut"] | null;
            missing: components["schemas"]["Missing"] | null;
            /** Text */
            text: string;
            /** Text Zh */
            text_zh: string;
        };
        /**
         * ExportForm
         * @description How records are exported.
         * @enum {string}
         */
        ExportForm: "csv" | "xlsx" | "jsonl";
        /**
         * FactorStatus
         * @description Whether the second factor is on, has to be on, and how many recovery codes remain.
         */
        FactorStatus: {
            /** Enabled */
            enabled: boolean;
            /** Required */
            required: boolean;
            /** Enabled At */
            enabled_at: string | null;
            /** Recovery Codes Left */
            recovery_codes_left: number;
        };
        /**
         * FailureThreshold
         * @description How many failed hosts of a step are tolerated, as a number or in percent of its hosts.
         *
         *     One more stops the step (what has not started is skipped), pauses the execution, or is ignored.
         *     A step whose failures are tolerated counts as a success.
         */
        FailureThreshold: {
            /** Hosts */
            hosts?: number | null;
            /** Percent */
            percent?: number | null;
            /**
             * Action
             * @default stop
             * @enum {string}
             */
            action?: "stop" | "pause" | "ignore";
        };
        /**
         * FileCollect
         * @description What a collect step fetches from its hosts; one archive for each.
         *
         *     Paths may be files, folders (with all that is in them) and patterns with `*`, `?`, `[…]` and
         *     `**`. Links are never followed.
         */
        FileCollect: {
            /** Paths */
            paths: string[];
            /** Excludes */
            excludes?: string[];
            /**
             * Max Files
             * @default 10000
             */
            max_files?: number;
            /**
             * Max Bytes
             * @default 1073741824
             */
            max_bytes?: number;
            /** Bandwidth Limit */
            bandwidth_limit?: number | null;
            /** Total Bandwidth Limit */
            total_bandwidth_limit?: number | null;
        };
        /**
         * FileKind
         * @description How a file came to the platform.
         * @enum {string}
         */
        FileKind: "upload" | "collected";
        /**
         * FileOut
         * @description A file that the platform keeps.
         */
        FileOut: {
            /** Id */
            id: string;
            /** Artifact Id */
            artifact_id: string;
            /** Name */
            name: string;
            /** Size */
            size: number;
            /** Sha256 */
            sha256: string;
            kind: components["schemas"]["FileKind"];
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Expires At */
            expires_at: string | null;
            /** Execution Id */
            execution_id: string | null;
            /** Task Id */
            task_id: string | null;
            /** Host Id */
            host_id: number | null;
            /** Host Name */
            host_name: string | null;
            /** File Count */
            file_count: number;
        };
        /**
         * FilePush
         * @description What a push step puts on its hosts. A path that ends with a slash is a folder.
         *
         *     Paths may name `${DATE}`, `${TIME}`, `${YEAR}`, `${MONTH}`, `${DAY}`, `${HOST}`, `${HOST_ID}`,
         *     `${IP}` and `${EXECUTION_ID}`, also as `{{NAME}}`.
         */
        FilePush: {
            /** Sources */
            sources: components["schemas"]["FileSource"][];
            /** Remote Path */
            remote_path: string;
            /** @default overwrite */
            overwrite_policy?: components["schemas"]["Overwrite"];
            /** Mode */
            mode?: string | null;
            /** Folder Mode */
            folder_mode?: string | null;
            /** Owner */
            owner?: string | null;
            /** Group */
            group?: string | null;
            /** Bandwidth Limit */
            bandwidth_limit?: number | null;
            /** Total Bandwidth Limit */
            total_bandwidth_limit?: number | null;
        };
        /**
         * FileSource
         * @description One thing to send: a file of the library, or what an earlier collect step fetched.
         */
        FileSource: {
            /** Artifact Id */
            artifact_id?: string | null;
            /** Step */
            step?: string | null;
            /** Name */
            name?: string | null;
            /** Remote Path */
            remote_path?: string | null;
        };
        /**
         * FindingOut
         * @description What a rule about commands found in a step; lines count from 1, for scripts alone.
         *
         *     `where` is script, args, env (values of variables) or run (a rule about anything that runs).
         */
        FindingOut: {
            /** Rule Id */
            rule_id: number;
            /** Rule */
            rule: string;
            action: components["schemas"]["RuleAction"];
            /** Step */
            step: string;
            /** Where */
            where: string;
            /** Lines */
            lines: number[];
        };
        /**
         * GatewayOut
         * @description Where agents connect: at `url` if settings tell it, else at `port` of the console's host.
         *
         *     Neither is known where a load balancer that no setting names stands before the gateway.
         */
        GatewayOut: {
            /** Url */
            url: string | null;
            /** Port */
            port: number | null;
        };
        /**
         * GrantCreate
         * @description A new grant for a user or a group; with `expires_at` it ends by itself.
         */
        GrantCreate: {
            /** Actions */
            actions: components["schemas"]["Action"][];
            object_type: components["schemas"]["ObjectType"];
            /** Object Ids */
            object_ids: (number | string)[];
            /** What */
            what?: string[];
            /** Accounts */
            accounts?: string[];
            /** Windows */
            windows?: components["schemas"]["WindowIn"][] | null;
            subject_type: components["schemas"]["Subject"];
            /** Subject Id */
            subject_id: number;
            /** Starts At */
            starts_at?: string | null;
            /** Expires At */
            expires_at?: string | null;
            /**
             * Reason
             * @default
             */
            reason?: string;
        };
        /**
         * GrantOut
         * @description A grant with the names of those it concerns; a name is empty when its owner is gone.
         */
        GrantOut: {
            /** Actions */
            actions: components["schemas"]["Action"][];
            object_type: components["schemas"]["ObjectType"];
            /** Object Ids */
            object_ids: string[];
            /** What */
            what: string[];
            /** Accounts */
            accounts: string[];
            /** Windows */
            windows: components["schemas"]["WindowOut"][] | null;
            /** Id */
            id: number;
            subject_type: components["schemas"]["Subject"];
            /** Subject Id */
            subject_id: number;
            /** Subject Name */
            subject_name: string;
            /** Starts At */
            starts_at: string | null;
            /** Expires At */
            expires_at: string | null;
            state: components["schemas"]["GrantState"];
            /** Reason */
            reason: string;
            /** Template Id */
            template_id: number | null;
            /** Created By */
            created_by: number;
            /** Created By Name */
            created_by_name: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Rests On */
            rests_on?: number[];
            /**
             * Ends With It
             * @default 0
             */
            ends_with_it?: number;
            /** Ended With */
            ended_with?: number | null;
            /** Revoked By */
            revoked_by: number | null;
            /** Revoked At */
            revoked_at: string | null;
        };
        /**
         * GrantPatch
         * @description What may be changed about a grant; null takes the limit away. The rest needs a new grant.
         */
        GrantPatch: {
            /** Windows */
            windows?: components["schemas"]["WindowIn"][] | null;
            /** Expires At */
            expires_at?: string | null;
            /** Reason */
            reason?: string | null;
        };
        /**
         * GrantState
         * @description How a grant stands at a moment.
         * @enum {string}
         */
        GrantState: "live" | "scheduled" | "expired" | "revoked";
        /**
         * GroupCreate
         * @description A new group. Names that differ only by case or composition are the same name.
         */
        GroupCreate: {
            /** Name */
            name: string;
            /**
             * Description
             * @default
             */
            description?: string;
            /** Roles */
            roles?: string[];
        };
        /**
         * GroupName
         * @description A group that a user belongs to.
         */
        GroupName: {
            /** Id */
            id: number;
            /** Name */
            name: string;
        };
        /**
         * GroupOut
         * @description A group, what its members get from it, and how many there are.
         */
        GroupOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Description */
            description: string;
            /** Roles */
            roles: string[];
            /** Member Count */
            member_count: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * GroupPatch
         * @description What may be changed about a group; an absent field stays as it is.
         */
        GroupPatch: {
            /** Name */
            name?: string | null;
            /** Description */
            description?: string | null;
            /** Roles */
            roles?: string[] | null;
        };
        /**
         * GroupRef
         * @description A group of users.
         */
        GroupRef: {
            /** Id */
            id: number;
            /** Name */
            name: string;
        };
        /**
         * GroupsOut
         * @description All groups, the majority first; `complete` says that no output will change any more.
         */
        GroupsOut: {
            /** Step Id */
            step_id: string | null;
            /** Stream */
            stream: string;
            /** Total */
            total: number;
            /** Groups */
            groups: components["schemas"]["ExecutionGroupOut"][];
            /** Complete */
            complete: boolean;
        };
        /**
         * HistoryOut
         * @description The first execution and all that repeat it, oldest first.
         */
        HistoryOut: {
            /** Root Id */
            root_id: string;
            /** Total */
            total: number;
            /** Results */
            results: components["schemas"]["ChainOut"][];
        };
        /**
         * HostCreate
         * @description A new host. `group` is the id or the name of an existing group.
         */
        HostCreate: {
            /** Name */
            name: string;
            /** Ip Address */
            ip_address: string;
            /**
             * Port
             * @default 22
             */
            port?: number;
            /** Username */
            username?: string | null;
            /** Password */
            password?: string | null;
            /** Group */
            group?: number | string | null;
            /**
             * Description
             * @default
             */
            description?: string;
            /** Tags */
            tags?: string[];
            /**
             * Allow Shared Address
             * @default false
             */
            allow_shared_address?: boolean;
        };
        /**
         * HostLogPage
         * @description Output of one step on one host as text; `pointer` is the number of lines before it.
         */
        HostLogPage: {
            /** Log Context */
            log_context: string;
            /** Lines */
            lines: components["schemas"]["LineOut"][];
            /** Pointer */
            pointer: number;
            /** Next Pointer */
            next_pointer: number;
            /** Finished */
            finished: boolean;
            /** Log Status */
            log_status: string;
        };
        /**
         * HostOrder
         * @description Which host comes first.
         * @enum {string}
         */
        HostOrder: "request" | "name" | "ip" | "random" | "rank";
        /**
         * HostOut
         * @description A host as lists and details show it. The list is encoded by hand to the same form.
         */
        HostOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Ip Address */
            ip_address: string;
            /** Port */
            port: number;
            /** Username */
            username: string | null;
            /** Has Password */
            has_password: boolean;
            /** Os Type */
            os_type: string | null;
            /** Description */
            description: string;
            /** Groups */
            groups: components["schemas"]["HostsGroupRef"][];
            /** Tags */
            tags: string[];
            /** Agent Id */
            agent_id: string | null;
            agent_status: components["schemas"]["AgentPresence"];
            /** Agent Version */
            agent_version: string | null;
            /** Last Seen At */
            last_seen_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Metrics */
            metrics: {
                [key: string]: number;
            } | null;
        };
        /**
         * HostPatch
         * @description What may be changed about a host; an absent field stays as it is.
         *
         *     `username`, `password` and `group` may be null: no account, no password, in no group. For the
         *     other fields null is refused.
         */
        HostPatch: {
            /** Name */
            name?: string | null;
            /** Ip Address */
            ip_address?: string | null;
            /** Port */
            port?: number | null;
            /** Username */
            username?: string | null;
            /** Password */
            password?: string | null;
            /** Group */
            group?: number | string | null;
            /** Description */
            description?: string | null;
            /** Tags */
            tags?: string[] | null;
            /** Allow Shared Address */
            allow_shared_address?: boolean | null;
        };
        /**
         * HostPreview
         * @description How a host stands before the run: ready, offline (its tasks wait), disabled or no_agent.
         */
        HostPreview: {
            /** Host Id */
            host_id: number;
            /** Name */
            name: string;
            /** Ip Address */
            ip_address: string;
            /** State */
            state: string;
            /** Waits Until Seconds */
            waits_until_seconds: number | null;
        };
        /**
         * HostResultOut
         * @description How a step went on one host.
         */
        HostResultOut: {
            /** Task Id */
            task_id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            status: components["schemas"]["TaskStatus"];
            /** Attempt */
            attempt: number;
            /** Exit Code */
            exit_code: number | null;
            /** Signal */
            signal: number | null;
            /** Reason */
            reason: string | null;
            /** Detail */
            detail: string | null;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
            /** Outputs */
            outputs: {
                [key: string]: unknown;
            } | null;
            processes: components["schemas"]["ProcessesOut"] | null;
            /** Late Outcome */
            late_outcome: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * GroupCreate
         * @description A new group, below another one or at the top.
         */
        HostsGroupCreate: {
            /** Name */
            name: string;
            /** Parent Id */
            parent_id?: number | null;
            /**
             * Description
             * @default
             */
            description?: string;
        };
        /**
         * GroupOut
         * @description A group; `host_count` counts the hosts that are directly in it.
         */
        HostsGroupOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Parent Id */
            parent_id: number | null;
            /** Description */
            description: string;
            /** Host Count */
            host_count: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * GroupPatch
         * @description What may be changed about a group; `parent_id` null moves it to the top.
         */
        HostsGroupPatch: {
            /** Name */
            name?: string | null;
            /** Parent Id */
            parent_id?: number | null;
            /** Description */
            description?: string | null;
        };
        /**
         * GroupRef
         * @description A group as hosts name it.
         */
        HostsGroupRef: {
            /** Id */
            id: number;
            /** Name */
            name: string;
        };
        /**
         * HostsOf
         * @description The hosts on which an earlier step succeeded or failed, known when the step is reached.
         */
        HostsOf: {
            /** Step */
            step: string;
            /**
             * Result
             * @enum {string}
             */
            result: "success" | "failed";
        };
        /** Page[GroupOut] */
        HostsPage_GroupOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["HostsGroupOut"][];
        };
        /**
         * TokenCreate
         * @description A one-time token: for one host, or, without `host_id`, for one that is not known yet.
         */
        HostsTokenCreate: {
            /** Host Id */
            host_id?: number | null;
            /**
             * Ttl Seconds
             * @default 600
             */
            ttl_seconds?: number;
        };
        /**
         * TokenOut
         * @description A token without its text, which was shown once.
         */
        HostsTokenOut: {
            /** Id */
            id: number;
            /** Host Id */
            host_id: number | null;
            state: components["schemas"]["TokenState"];
            /** Created By */
            created_by: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Used At */
            used_at: string | null;
            /** Agent Id */
            agent_id: string | null;
        };
        /**
         * IgnoreErrorIn
         * @description Whose errors are to count no longer.
         */
        IgnoreErrorIn: {
            /** Step Id */
            step_id: string;
            /** Reason */
            reason?: string | null;
        };
        JsonValue: unknown;
        /**
         * LineOut
         * @description A line, numbered from 1 in the order in which the ends of the wanted lines were stored.
         *
         *     `offset` is its place in its stream in bytes. `cut_bytes` of a very long line are left out
         *     behind `text`. `gap_bytes` were never stored or cannot be read, for a `reason`. `is_open` says
         *     that the end of the line has not come (yet).
         */
        LineOut: {
            /** Number */
            number: number;
            /** Host */
            host: string;
            /** Host Id */
            host_id: number;
            /** Step Id */
            step_id: string;
            /** Task Id */
            task_id: string;
            /** Attempt */
            attempt: number;
            /** Stream */
            stream: string;
            /** Offset */
            offset: number;
            /** Text */
            text: string;
            /**
             * Lossy
             * @default false
             */
            lossy?: boolean;
            /**
             * Cut Bytes
             * @default 0
             */
            cut_bytes?: number;
            /**
             * Gap Bytes
             * @default 0
             */
            gap_bytes?: number;
            /** Reason */
            reason?: string | null;
            /**
             * Is Open
             * @default false
             */
            is_open?: boolean;
        };
        /**
         * LinesPage
         * @description Some lines; `total` have ended so far. `complete` says that no more will come.
         */
        LinesPage: {
            /** Lines */
            lines: components["schemas"]["LineOut"][];
            /** Total */
            total: number;
            /** Next Line */
            next_line: number;
            /** Complete */
            complete: boolean;
        };
        /**
         * LogChunkOut
         * @description A piece of output; `text` is decoded for reading, `lossy` says that bytes were replaced.
         */
        LogChunkOut: {
            /** Position */
            position: number;
            /** Host */
            host: string;
            /** Host Id */
            host_id: number;
            /** Step Id */
            step_id: string;
            /** Task Id */
            task_id: string;
            /** Attempt */
            attempt: number;
            /** Stream */
            stream: string;
            /** Seq */
            seq: number;
            /** Offset */
            offset: number;
            /** Text */
            text: string;
            /**
             * Lossy
             * @default false
             */
            lossy?: boolean;
            /**
             * Gap Bytes
             * @default 0
             */
            gap_bytes?: number;
            /** Reason */
            reason?: string | null;
        };
        /**
         * LogPage
         * @description A part of an execution's log in the order in which it was stored.
         */
        LogPage: {
            /** Chunks */
            chunks: components["schemas"]["LogChunkOut"][];
            /** Next Position */
            next_position: number;
            /** Complete */
            complete: boolean;
        };
        /**
         * LogStatus
         * @description What is known about a task's output.
         * @enum {string}
         */
        LogStatus: "none" | "live" | "complete" | "gap" | "expired";
        /**
         * LoggedOut
         * @description The login has ended; at `continue_at` a browser ends the one at its identity provider.
         */
        LoggedOut: {
            /** Continue At */
            continue_at?: string | null;
        };
        /**
         * LoginIn
         * @description Credentials. Their form is not judged here: a bad one gets the answer of a wrong one.
         */
        LoginIn: {
            /** Username */
            username: string;
            /** Password */
            password: string;
            /** Otp Token */
            otp_token?: string | null;
            /**
             * Remember Me
             * @default false
             */
            remember_me?: boolean;
            /**
             * Captcha Key
             * @default
             */
            captcha_key?: string;
            /**
             * Captcha Value
             * @default
             */
            captcha_value?: string;
        };
        /**
         * LoginOut
         * @description One login of a user; `device` is a reading of `user_agent`, which may say anything.
         */
        LoginOut: {
            /** Id */
            id: string;
            /** Device */
            device: string;
            /** User Agent */
            user_agent: string;
            /** Address */
            address: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Last Used At
             * Format: date-time
             */
            last_used_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Remembered */
            remembered: boolean;
            /** Current */
            current: boolean;
        };
        /**
         * MatchOut
         * @description A line in which something was found, without colours and other escape sequences.
         *
         *     `highlights` are pairs of character places in `text`. Of a long line a part is shown, with
         *     `skipped_bytes` left out before it.
         */
        MatchOut: {
            /** Number */
            number: number;
            /** Host */
            host: string;
            /** Host Id */
            host_id: number;
            /** Step Id */
            step_id: string;
            /** Task Id */
            task_id: string;
            /** Attempt */
            attempt: number;
            /** Stream */
            stream: string;
            /** Text */
            text: string;
            /** Lossy */
            lossy: boolean;
            /** Highlights */
            highlights: [
                number,
                number
            ][];
            /** Skipped Bytes */
            skipped_bytes: number;
            /** Is Open */
            is_open: boolean;
        };
        /**
         * MeOut
         * @description Who the caller is and what the caller may do; `*` stands for everything.
         */
        MeOut: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Roles */
            roles: string[];
            /** Permissions */
            permissions: string[];
            /** Is Active */
            is_active: boolean;
            /** Must Change Password */
            must_change_password: boolean;
            /** Proved Until */
            proved_until: string | null;
        };
        /**
         * MemberOut
         * @description A user in a group.
         */
        MemberOut: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Display Name */
            display_name: string;
            /** Is Active */
            is_active: boolean;
        };
        /**
         * MembersAdd
         * @description Users who join a group; who is in it already stays.
         */
        MembersAdd: {
            /** User Ids */
            user_ids: number[];
        };
        /**
         * Missing
         * @description The part of a request that no single row covered, in the order in which parts are judged.
         * @enum {string}
         */
        Missing: "action" | "object" | "time" | "what" | "account" | "window" | "root" | "scope";
        /**
         * Mode
         * @description Whether hosts start together, one by one, or in batches.
         * @enum {string}
         */
        Mode: "parallel" | "serial" | "rolling";
        /**
         * NotOf
         * @description True when it is false.
         */
        NotOf: {
            /** Not */
            not: components["schemas"]["StepIs"] | components["schemas"]["VariableIs"] | components["schemas"]["AllOf"] | components["schemas"]["AnyOf"] | components["schemas"]["NotOf"];
        };
        /**
         * ObjectType
         * @description What a grant can be about.
         * @enum {string}
         */
        ObjectType: "host" | "host_group" | "account" | "script_template" | "job_template" | "plan" | "schedule" | "execution";
        /**
         * OperationIn
         * @description Why somebody does it; kept in the operation log.
         */
        OperationIn: {
            /** Reason */
            reason?: string | null;
        };
        /**
         * OperationOut
         * @description One line of the operation log.
         */
        OperationOut: {
            /** Id */
            id: string;
            /** Execution Id */
            execution_id: string;
            /** Step Id */
            step_id: string | null;
            /** Task Ids */
            task_ids: string[] | null;
            action: components["schemas"]["ExecutionAction"];
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Reason */
            reason: string | null;
            /** Detail */
            detail: {
                [key: string]: unknown;
            };
            /** Client Ip */
            client_ip: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
        };
        /**
         * OptionsOut
         * @description How somebody can log in. `captcha` says whether this address has to answer a picture now.
         */
        OptionsOut: {
            /** Captcha */
            captcha: boolean;
            /** Directory */
            directory: boolean;
            /** Oidc Providers */
            oidc_providers: components["schemas"]["ProviderOption"][];
            /** Second Factor */
            second_factor: string;
            password_policy: components["schemas"]["PasswordPolicy"];
        };
        /**
         * Overwrite
         * @description What happens when the target is there already.
         * @enum {string}
         */
        Overwrite: "overwrite" | "skip" | "backup" | "fail";
        /** Page[AgentOut] */
        Page_AgentOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["AgentOut"][];
        };
        /** Page[ApprovalInfo] */
        Page_ApprovalInfo_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["ApprovalInfo"][];
        };
        /** Page[ExecutionOut] */
        Page_ExecutionOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["ExecutionOut"][];
        };
        /** Page[FileOut] */
        Page_FileOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["FileOut"][];
        };
        /** Page[GrantOut] */
        Page_GrantOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["GrantOut"][];
        };
        /** Page[GroupOut] */
        Page_GroupOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["GroupOut"][];
        };
        /** Page[HostOut] */
        Page_HostOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["HostOut"][];
        };
        /** Page[HostResultOut] */
        Page_HostResultOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["HostResultOut"][];
        };
        /** Page[MemberOut] */
        Page_MemberOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["MemberOut"][];
        };
        /** Page[OperationOut] */
        Page_OperationOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["OperationOut"][];
        };
        /** Page[RuleOut] */
        Page_RuleOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["RuleOut"][];
        };
        /** Page[SecurityEventOut] */
        Page_SecurityEventOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["SecurityEventOut"][];
        };
        /** Page[TaskOut] */
        Page_TaskOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["TaskOut"][];
        };
        /** Page[TokenOut] */
        Page_TokenOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["HostsTokenOut"][];
        };
        /** Page[UserOut] */
        Page_UserOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["UserOut"][];
        };
        /** Page[WhoCanOut] */
        Page_WhoCanOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["WhoCanOut"][];
        };
        /**
         * PartIn
         * @description What is given: actions on objects; `what` and `accounts` only for execute on hosts.
         */
        PartIn: {
            /** Actions */
            actions: components["schemas"]["Action"][];
            object_type: components["schemas"]["ObjectType"];
            /** Object Ids */
            object_ids: (number | string)[];
            /** What */
            what?: string[];
            /** Accounts */
            accounts?: string[];
            /** Windows */
            windows?: components["schemas"]["WindowIn"][] | null;
        };
        /**
         * PartOut
         * @description What is given.
         */
        PartOut: {
            /** Actions */
            actions: components["schemas"]["Action"][];
            object_type: components["schemas"]["ObjectType"];
            /** Object Ids */
            object_ids: string[];
            /** What */
            what: string[];
            /** Accounts */
            accounts: string[];
            /** Windows */
            windows: components["schemas"]["WindowOut"][] | null;
        };
        /**
         * PasswordChange
         * @description The present password proves that it is really the user who asks.
         */
        PasswordChange: {
            /** Current Password */
            current_password: string;
            /** New Password */
            new_password: string;
        };
        /**
         * PasswordPolicy
         * @description What a password has to be, in characters.
         */
        PasswordPolicy: {
            /** Min Length */
            min_length: number;
            /** Max Length */
            max_length: number;
        };
        /**
         * PasswordReset
         * @description A password for one login, which can do nothing but set another one; told once.
         */
        PasswordReset: {
            /** One Time Password */
            one_time_password: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * PatternKind
         * @description How the pattern of a rule is read.
         * @enum {string}
         */
        PatternKind: "regex" | "words" | "anything";
        /**
         * PauseReason
         * @description Why an execution starts nothing new. People end `user` and `threshold` by resuming.
         * @enum {string}
         */
        PauseReason: "user" | "threshold" | "confirmation" | "batch" | "approval";
        /**
         * PermissionOut
         * @description A permission and what it means.
         */
        PermissionOut: {
            /** Name */
            name: string;
            /** Description */
            description: string;
            /** Description Zh */
            description_zh: string;
        };
        /**
         * Preview
         * @description What an execution would do; nothing of it is stored.
         */
        Preview: {
            /** Hosts */
            hosts: components["schemas"]["HostPreview"][];
            /** Batches */
            batches: number[][];
            /** Steps */
            steps: components["schemas"]["StepPreview"][];
            /** Warnings */
            warnings: string[];
            /** Findings */
            findings?: components["schemas"]["FindingOut"][];
        };
        /**
         * ProcessesOut
         * @description Processes that outlived their scripts: found, sent a signal, still there afterwards.
         */
        ProcessesOut: {
            /** Found */
            found: number;
            /** Signalled */
            signalled: number;
            /** Left */
            left: number;
        };
        /**
         * ProfileOut
         * @description The caller, with the profile and the groups that the caller belongs to.
         */
        ProfileOut: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Roles */
            roles: string[];
            /** Permissions */
            permissions: string[];
            /** Is Active */
            is_active: boolean;
            /** Must Change Password */
            must_change_password: boolean;
            /** Proved Until */
            proved_until: string | null;
            /** Display Name */
            display_name: string;
            /** Email */
            email: string;
            /** Phone */
            phone: string;
            /** Department */
            department: string;
            /** Position */
            position: string;
            /** Groups */
            groups: string[];
        };
        /**
         * ProfilePatch
         * @description What may be changed about a person; an absent field stays, an empty text clears.
         */
        ProfilePatch: {
            /** Display Name */
            display_name?: string | null;
            /** Email */
            email?: string | null;
            /** Phone */
            phone?: string | null;
            /** Department */
            department?: string | null;
            /** Position */
            position?: string | null;
        };
        /**
         * ProofDeparture
         * @description The address at the identity provider.
         */
        ProofDeparture: {
            /** Url */
            url: string;
        };
        /**
         * ProofIn
         * @description The password, and the code of who has a second factor; a recovery code will do.
         */
        ProofIn: {
            /** Password */
            password: string;
            /** Otp Token */
            otp_token?: string | null;
        };
        /**
         * ProofOut
         * @description The proof of this login, and what the next one consists of.
         */
        ProofOut: {
            /** Proved Until */
            proved_until: string | null;
            /** Code */
            code: boolean;
            /** Provider */
            provider: string | null;
        };
        /**
         * ProofWay
         * @description Where the browser is to go afterwards: a path of this site.
         */
        ProofWay: {
            /**
             * Return To
             * @default /
             */
            return_to?: string;
        };
        /**
         * ProviderOption
         * @description An identity provider; the login begins at `/api/auth/oidc/{id}/start/`.
         */
        ProviderOption: {
            /** Id */
            id: string;
            /** Name */
            name: string;
        };
        /**
         * RecoveryCodesOut
         * @description Ten codes, each good for one login; shown once.
         */
        RecoveryCodesOut: {
            /** Recovery Codes */
            recovery_codes: string[];
        };
        /**
         * RefreshIn
         * @description The newest refresh token of a login; an older one ends the login.
         */
        RefreshIn: {
            /** Refresh Token */
            refresh_token: string;
        };
        /**
         * ResourcesIn
         * @description May the caller do these things with each of these objects?
         */
        ResourcesIn: {
            object_type: components["schemas"]["ObjectType"];
            /** Object Ids */
            object_ids: (number | string)[];
            /** Actions */
            actions: components["schemas"]["Action"][];
            /**
             * What
             * @default adhoc
             */
            what?: string;
            /**
             * Account
             * @default @agent
             */
            account?: string;
        };
        /**
         * RetryIn
         * @description What is repeated: everything, one step, or everything on the hosts that failed.
         *
         *     With `step_id` only that step is run again; `failed_only` then means its failed hosts.
         */
        RetryIn: {
            /**
             * Retry Type
             * @default full
             * @enum {string}
             */
            retry_type?: "full" | "step" | "failed_only";
            /** Step Id */
            step_id?: string | null;
            /** Reason */
            reason?: string | null;
            /** Confirmed Host Count */
            confirmed_host_count?: number | null;
        };
        /**
         * RetryOut
         * @description The new record; it is stored and will run.
         */
        RetryOut: {
            /** Execution Id */
            execution_id: string;
            /** Id */
            id: string;
            status: components["schemas"]["ExecutionStatus"];
            /** Task Count */
            task_count: number;
            /** Created */
            created: boolean;
            /** Parent Id */
            parent_id: string;
            /** Root Id */
            root_id: string;
            /** Retry Count */
            retry_count: number;
        };
        /**
         * RetryStepIn
         * @description Which hosts of a step are tried again: those that failed, all, or those named.
         */
        RetryStepIn: {
            /** Step Id */
            step_id: string;
            /**
             * Retry Type
             * @default failed_only
             * @enum {string}
             */
            retry_type?: "failed_only" | "all" | "selected";
            /** Host Ids */
            host_ids?: number[] | null;
            /** Reason */
            reason?: string | null;
            /** Confirmed Host Count */
            confirmed_host_count?: number | null;
        };
        /**
         * RightsOut
         * @description Everything that somebody may do: by roles, and by grants that have not ended.
         */
        RightsOut: {
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Is Active */
            is_active: boolean;
            /** Roles */
            roles: string[];
            /** Groups */
            groups: components["schemas"]["GroupRef"][];
            /** Permissions */
            permissions: string[];
            /** Permission Count */
            permission_count: number;
            /** Grants */
            grants: components["schemas"]["GrantOut"][];
            /** Granted Permissions */
            granted_permissions: string[];
        };
        /**
         * RoleCreate
         * @description A new custom role. Nobody can put more into it than they hold themselves.
         */
        RoleCreate: {
            /** Name */
            name: string;
            /**
             * Description
             * @default
             */
            description?: string;
            /** Permissions */
            permissions: string[];
            /**
             * Require Two Factor
             * @default false
             */
            require_two_factor?: boolean;
        };
        /**
         * RolePatch
         * @description What may be changed about a role; of a built-in one only `require_two_factor`.
         */
        RolePatch: {
            /** Name */
            name?: string | null;
            /** Description */
            description?: string | null;
            /** Permissions */
            permissions?: string[] | null;
            /** Require Two Factor */
            require_two_factor?: boolean | null;
        };
        /**
         * RuleAction
         * @description What follows when a rule about commands finds something.
         * @enum {string}
         */
        RuleAction: "warn" | "approve" | "block";
        /**
         * RuleCreate
         * @description A new rule. Empty `script_types` and `host_group_ids` stand for all.
         *
         *     A rule that wants approval names who may approve (users, groups of users, or both) and how many
         *     have to; one about `anything` has no pattern and names host groups: those want two people.
         */
        RuleCreate: {
            /** Name */
            name: string;
            /**
             * Description
             * @default
             */
            description?: string;
            /** @default regex */
            pattern_kind?: components["schemas"]["PatternKind"];
            /**
             * Pattern
             * @default
             */
            pattern?: string;
            /** Script Types */
            script_types?: components["schemas"]["ScriptType"][];
            /** @default warn */
            action?: components["schemas"]["RuleAction"];
            /**
             * Is Enabled
             * @default true
             */
            is_enabled?: boolean;
            /** Host Group Ids */
            host_group_ids?: number[];
            /** Approver Ids */
            approver_ids?: number[];
            /** Approver Group Ids */
            approver_group_ids?: number[];
            /**
             * Quorum
             * @default 1
             */
            quorum?: number;
            /**
             * Expires Seconds
             * @default 86400
             */
            expires_seconds?: number;
        };
        /**
         * RuleOut
         * @description A rule.
         */
        RuleOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Description */
            description: string;
            pattern_kind: components["schemas"]["PatternKind"];
            /** Pattern */
            pattern: string;
            /** Script Types */
            script_types: components["schemas"]["ScriptType"][];
            action: components["schemas"]["RuleAction"];
            /** Is Enabled */
            is_enabled: boolean;
            /** Host Group Ids */
            host_group_ids: number[];
            /** Approver Ids */
            approver_ids: number[];
            /** Approver Group Ids */
            approver_group_ids: number[];
            /** Quorum */
            quorum: number;
            /** Expires Seconds */
            expires_seconds: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * RulePatch
         * @description What may be changed about a rule; absent fields stay.
         */
        RulePatch: {
            /** Name */
            name?: string | null;
            /** Description */
            description?: string | null;
            pattern_kind?: components["schemas"]["PatternKind"] | null;
            /** Pattern */
            pattern?: string | null;
            /** Script Types */
            script_types?: components["schemas"]["ScriptType"][] | null;
            action?: components["schemas"]["RuleAction"] | null;
            /** Is Enabled */
            is_enabled?: boolean | null;
            /** Host Group Ids */
            host_group_ids?: number[] | null;
            /** Approver Ids */
            approver_ids?: number[] | null;
            /** Approver Group Ids */
            approver_group_ids?: number[] | null;
            /** Quorum */
            quorum?: number | null;
            /** Expires Seconds */
            expires_seconds?: number | null;
        };
        /**
         * RuleTried
         * @description A pattern that is not stored yet.
         */
        RuleTried: {
            /** @default regex */
            pattern_kind?: components["schemas"]["PatternKind"];
            /**
             * Pattern
             * @default
             */
            pattern?: string;
            /** Script Types */
            script_types?: components["schemas"]["ScriptType"][];
        };
        /**
         * ScriptRun
         * @description A script, how to run it and on which hosts.
         *
         *     `strategy` says everything about the order of hosts; the `execution_mode` and `rolling_` fields
         *     are its short form: batches of a percentage, which stop to ask after a failed host
         *     (`fail_pause`) or go on (`ignore_error`).
         */
        ScriptRun: {
            /** Script Content */
            script_content: string;
            /** @default shell */
            script_type?: components["schemas"]["ScriptType"];
            /** Target Host Ids */
            target_host_ids?: number[];
            /** Target Group Ids */
            target_group_ids?: number[];
            /**
             * Timeout
             * @default 300
             */
            timeout?: number;
            /** Name */
            name?: string | null;
            /** Args */
            args?: string[];
            /** Env */
            env?: {
                [key: string]: string;
            };
            /** Run As */
            run_as?: string | null;
            /** Cwd */
            cwd?: string | null;
            /** Not After Seconds */
            not_after_seconds?: number | null;
            strategy?: components["schemas"]["StrategyIn"] | null;
            /** @default parallel */
            execution_mode?: components["schemas"]["Mode"];
            /**
             * Rolling Strategy
             * @default fail_pause
             * @enum {string}
             */
            rolling_strategy?: "fail_pause" | "ignore_error";
            /**
             * Rolling Batch Size
             * @default 20
             */
            rolling_batch_size?: number;
            /**
             * Rolling Batch Delay
             * @default 0
             */
            rolling_batch_delay?: number;
            /** Variables */
            variables?: {
                [key: string]: components["schemas"]["VariableIn"] | string | number | boolean | number[];
            };
            /**
             * Retries
             * @default 0
             */
            retries?: number;
            /**
             * Retry Delay Seconds
             * @default 0
             */
            retry_delay_seconds?: number;
            /** Success Codes */
            success_codes?: number[];
            /**
             * Ignore Error
             * @default false
             */
            ignore_error?: boolean;
            /**
             * Priority
             * @default 5
             */
            priority?: number;
            /** Confirmed Host Count */
            confirmed_host_count?: number | null;
        };
        /**
         * ScriptType
         * @description The language of a script; it decides the interpreter, never the content does.
         * @enum {string}
         */
        ScriptType: "shell" | "python" | "javascript" | "perl" | "powershell" | "go";
        /**
         * SearchOut
         * @description Matches in the order of their lines, and how to go on.
         *
         *     `next_cursor` is None once all that is stored was looked through. `complete` says that nothing
         *     more will be stored. `unreadable_bytes` could not be looked through.
         */
        SearchOut: {
            /** Matches */
            matches: components["schemas"]["MatchOut"][];
            /** Next Cursor */
            next_cursor: number | null;
            /** Searched Lines */
            searched_lines: number;
            /** Unreadable Bytes */
            unreadable_bytes: number;
            /** Complete */
            complete: boolean;
        };
        /**
         * SecurityEventOut
         * @description Something that nobody honest sends was refused; `source` is agent or platform.
         */
        SecurityEventOut: {
            /** Id */
            id: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Source */
            source: string;
            /** Agent Id */
            agent_id: string;
            /** Reason */
            reason: string;
            /** Detail */
            detail: string;
            /** Task Id */
            task_id: string | null;
            /** Attempt */
            attempt: number | null;
            /** Count */
            count: number;
        };
        /**
         * SetupIn
         * @description The password proves that it is really the user who asks.
         */
        SetupIn: {
            /** Current Password */
            current_password: string;
        };
        /**
         * SetupOut
         * @description A new secret, shown once: as text, as address, and as picture (an SVG `data:` address).
         */
        SetupOut: {
            /** Secret */
            secret: string;
            /** Otpauth Uri */
            otpauth_uri: string;
            /** Qr Code */
            qr_code: string;
        };
        /**
         * StepContentOut
         * @description A step as its author wrote it and as one host was given it; secrets are asterisks.
         *
         *     `problem` is why it could not be filled in for this host.
         */
        StepContentOut: {
            /** Execution Id */
            execution_id: string;
            /** Step Id */
            step_id: string;
            /** Name */
            name: string;
            /** Order */
            order: number;
            kind: components["schemas"]["StepKind"];
            script_type: components["schemas"]["ScriptType"];
            /** Script Content */
            script_content: string;
            /** Script Sha256 */
            script_sha256: string;
            /** Args */
            args: string[];
            /** Env */
            env: {
                [key: string]: string;
            };
            /** Run As */
            run_as: string | null;
            /** Cwd */
            cwd: string | null;
            /** Timeout Seconds */
            timeout_seconds: number;
            /** Payload */
            payload: {
                [key: string]: unknown;
            };
            /** Host Id */
            host_id: number | null;
            /** Host Name */
            host_name: string | null;
            /** Rendered Script */
            rendered_script: string | null;
            /** Rendered Args */
            rendered_args: string[] | null;
            /** Rendered Env */
            rendered_env: {
                [key: string]: string;
            } | null;
            /** Rendered Cwd */
            rendered_cwd: string | null;
            /** Secrets */
            secrets: string[];
            /** Problem */
            problem?: string | null;
        };
        /**
         * StepControlOut
         * @description The step after the operation.
         */
        StepControlOut: {
            /** Execution Id */
            execution_id: string;
            action: components["schemas"]["ExecutionAction"];
            status: components["schemas"]["ExecutionStatus"];
            /** Pause Reason */
            pause_reason?: string | null;
            /** Step Id */
            step_id: string;
            step_status: components["schemas"]["StepStatus"];
            /** Step Reason */
            step_reason?: string | null;
            /** Tasks */
            tasks?: number | null;
        };
        /**
         * StepIn
         * @description One step. Times are in seconds; `timeout` is kept on the host's monotonic clock.
         *
         *     After a failure that is not ignored, the step named by `on_failure` runs (a step with
         *     `is_handler`, which runs only then), and the execution ends. `retries` follow a failed or timed
         *     out attempt whose end the agent has signed, never a lost one.
         */
        StepIn: {
            /** Name */
            name: string;
            /** @default script */
            kind?: components["schemas"]["StepKind"];
            /** Script Content */
            script_content?: string | null;
            /** @default shell */
            script_type?: components["schemas"]["ScriptType"];
            /** Args */
            args?: string[];
            /** Env */
            env?: {
                [key: string]: string;
            };
            /** Run As */
            run_as?: string | null;
            /** Cwd */
            cwd?: string | null;
            /**
             * Timeout
             * @default 300
             */
            timeout?: number;
            /**
             * Retries
             * @default 0
             */
            retries?: number;
            /**
             * Retry Delay Seconds
             * @default 0
             */
            retry_delay_seconds?: number;
            /**
             * Ignore Error
             * @default false
             */
            ignore_error?: boolean;
            /** Success Codes */
            success_codes?: number[];
            /** Condition */
            condition?: components["schemas"]["StepIs"] | components["schemas"]["VariableIs"] | components["schemas"]["AllOf"] | components["schemas"]["AnyOf"] | components["schemas"]["NotOf"] | null;
            /** On Failure */
            on_failure?: string | null;
            /**
             * Is Handler
             * @default false
             */
            is_handler?: boolean;
            /** Target Host Ids */
            target_host_ids?: number[] | null;
            /** Target Group Ids */
            target_group_ids?: number[] | null;
            hosts_of?: components["schemas"]["HostsOf"] | null;
            confirm?: components["schemas"]["Confirm"] | null;
            /** File */
            file?: components["schemas"]["FilePush"] | components["schemas"]["FileCollect"] | null;
        };
        /**
         * StepIs
         * @description How an earlier step ended. `failed` is also true of one whose errors are ignored.
         */
        StepIs: {
            /** Step */
            step: string;
            /**
             * Is
             * @enum {string}
             */
            is: "success" | "failed" | "skipped" | "any_failed";
        };
        /**
         * StepKind
         * @description What a step does.
         * @enum {string}
         */
        StepKind: "script" | "push" | "collect" | "confirm";
        /**
         * StepOut
         * @description A step with what it runs and, in a detail, its tasks.
         */
        StepOut: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Order */
            order: number;
            kind: components["schemas"]["StepKind"];
            status: components["schemas"]["StepStatus"];
            /** Reason */
            reason: string | null;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Batch No */
            batch_no: number;
            /** Batch Total */
            batch_total: number;
            /** Batch Ready At */
            batch_ready_at: string | null;
            /** Retries */
            retries: number;
            /** Retry Delay Seconds */
            retry_delay_seconds: number;
            /** Ignore Error */
            ignore_error: boolean;
            /** Success Codes */
            success_codes: number[];
            /** Condition */
            condition: {
                [key: string]: unknown;
            } | null;
            /** On Failure */
            on_failure: string | null;
            /** Is Handler */
            is_handler: boolean;
            /** Targets */
            targets: {
                [key: string]: unknown;
            };
            /** Payload */
            payload: {
                [key: string]: unknown;
            };
            /** Skipped By */
            skipped_by: number | null;
            /** Confirmed By */
            confirmed_by: number | null;
            /** Confirmed At */
            confirmed_at: string | null;
            /** Expires At */
            expires_at: string | null;
            /** Outputs */
            outputs: {
                [key: string]: unknown;
            };
            /** Counts */
            counts: {
                [key: string]: number;
            };
            script_type: components["schemas"]["ScriptType"];
            /** Script Content */
            script_content: string;
            /** Script Sha256 */
            script_sha256: string;
            /** Args */
            args: string[];
            /** Env */
            env: {
                [key: string]: string;
            };
            /** Run As */
            run_as: string | null;
            /** Cwd */
            cwd: string | null;
            /** Timeout Seconds */
            timeout_seconds: number;
            /** Tasks */
            tasks: components["schemas"]["TaskOut"][];
        };
        /**
         * StepPreview
         * @description A step and on how many hosts it would run.
         */
        StepPreview: {
            /** Name */
            name: string;
            kind: components["schemas"]["StepKind"];
            /** Script */
            script: string | null;
            /** Host Count */
            host_count: number | null;
        };
        /**
         * StepResultOut
         * @description The result of a step over all its hosts, and one page of the hosts.
         *
         *     `exit_codes` counts hosts by exit code; durations are in milliseconds. `outputs` are the values
         *     that the step set for the whole execution.
         */
        StepResultOut: {
            /** Execution Id */
            execution_id: string;
            /** Step Id */
            step_id: string;
            /** Name */
            name: string;
            /** Order */
            order: number;
            status: components["schemas"]["StepStatus"];
            /** Reason */
            reason: string | null;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Exit Codes */
            exit_codes: {
                [key: string]: number;
            };
            /** Shortest Ms */
            shortest_ms: number | null;
            /** Average Ms */
            average_ms: number | null;
            /** Longest Ms */
            longest_ms: number | null;
            processes: components["schemas"]["ProcessesOut"];
            /** Outputs */
            outputs: {
                [key: string]: string;
            };
            hosts: components["schemas"]["Page_HostResultOut_"];
        };
        /**
         * StepStatus
         * @description Where a step stands; a pure function of its tasks and of what people decided about it.
         * @enum {string}
         */
        StepStatus: "pending" | "running" | "paused" | "success" | "failed" | "skipped" | "cancelled" | "timeout" | "lost" | "expired";
        /**
         * StopOut
         * @description How many tasks ended at once, and how many hosts were asked to stop.
         */
        StopOut: {
            /** Execution Id */
            execution_id: string;
            action: components["schemas"]["ExecutionAction"];
            status: components["schemas"]["ExecutionStatus"];
            /** Pause Reason */
            pause_reason?: string | null;
            /** Cancelled */
            cancelled: number;
            /** Cancelling */
            cancelling: number;
        };
        /**
         * StrategyIn
         * @description How the hosts of each step follow each other.
         *
         *     Rolling goes in `batches`, the last size again and again: `["1", "10", "50%"]`; `batch_size` and
         *     `batch_percent` are short for one size. Serial is rolling by one. `canary` puts a first batch in
         *     front and asks before the rest. Serial, rolling and canary stop after a failed host unless
         *     `failure_threshold` says otherwise. `concurrency` is how many hosts of the execution may be at
         *     work at once.
         */
        StrategyIn: {
            /** @default parallel */
            mode?: components["schemas"]["Mode"];
            /** Concurrency */
            concurrency?: number | null;
            /** Batches */
            batches?: string[] | null;
            /** Batch Size */
            batch_size?: number | null;
            /** Batch Percent */
            batch_percent?: number | null;
            /**
             * Batch Delay Seconds
             * @default 0
             */
            batch_delay_seconds?: number;
            /** Confirm Between */
            confirm_between?: ("none" | "first" | "each") | boolean;
            /** Canary */
            canary?: number | null;
            /** @default request */
            order?: components["schemas"]["HostOrder"];
            /** Ranks */
            ranks?: {
                [key: string]: number;
            };
            failure_threshold?: components["schemas"]["FailureThreshold"] | null;
        };
        /**
         * Subject
         * @description Who a grant is for.
         * @enum {string}
         */
        Subject: "user" | "group";
        /**
         * SubjectIn
         * @description Somebody who is to get something.
         */
        SubjectIn: {
            subject_type: components["schemas"]["Subject"];
            /** Subject Id */
            subject_id: number;
        };
        /**
         * Suspicion
         * @description Why an agent gets no orders from now on.
         */
        Suspicion: {
            /** Reason */
            reason: string;
        };
        /**
         * TaskCancelOut
         * @description The task after the operation; a host that was asked to stop says later how it ended.
         */
        TaskCancelOut: {
            /** Execution Id */
            execution_id: string;
            action: components["schemas"]["ExecutionAction"];
            status: components["schemas"]["ExecutionStatus"];
            /** Pause Reason */
            pause_reason?: string | null;
            /** Task Id */
            task_id: string;
            task_status: components["schemas"]["TaskStatus"];
            /** Cancel Requested */
            cancel_requested: boolean;
        };
        /**
         * TaskOut
         * @description One step on one host.
         */
        TaskOut: {
            /** Id */
            id: string;
            /** Step Id */
            step_id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            /** Agent Id */
            agent_id: string | null;
            status: components["schemas"]["TaskStatus"];
            /** Attempt */
            attempt: number;
            /** Exit Code */
            exit_code: number | null;
            /** Signal */
            signal: number | null;
            /** Reason */
            reason: string | null;
            /** Detail */
            detail: string | null;
            /**
             * Not After
             * Format: date-time
             */
            not_after: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
            /** Stdout Bytes */
            stdout_bytes: number;
            /** Stderr Bytes */
            stderr_bytes: number;
            log_status: components["schemas"]["LogStatus"];
            /** Late Outcome */
            late_outcome: {
                [key: string]: unknown;
            } | null;
            /** Batch No */
            batch_no: number;
            /** Not Before */
            not_before: string | null;
            /** Outputs */
            outputs: {
                [key: string]: unknown;
            } | null;
            /** Progress */
            progress: {
                [key: string]: unknown;
            } | null;
            /** Processes */
            processes: {
                [key: string]: number;
            } | null;
            waits_for?: components["schemas"]["WaitsFor"] | null;
        };
        /**
         * TaskStatus
         * @description Where one step on one host stands.
         *
         *     Open: pending (its step or batch has not been reached; never offered), queued, offered, claimed,
         *     running. All others are final for the attempt.
         * @enum {string}
         */
        TaskStatus: "pending" | "queued" | "offered" | "claimed" | "running" | "success" | "failed" | "timeout" | "cancelled" | "lost" | "expired" | "rejected" | "skipped";
        /**
         * TemplateApply
         * @description For whom, from when and until when.
         */
        TemplateApply: {
            /** Subjects */
            subjects: components["schemas"]["SubjectIn"][];
            /** Starts At */
            starts_at?: string | null;
            /** Expires At */
            expires_at?: string | null;
            /**
             * Reason
             * @default
             */
            reason?: string;
        };
        /**
         * TemplateCreate
         * @description A named set of parts.
         */
        TemplateCreate: {
            /** Name */
            name: string;
            /**
             * Description
             * @default
             */
            description?: string;
            /** Parts */
            parts: components["schemas"]["PartIn"][];
        };
        /**
         * TemplateOut
         * @description A template of grants.
         */
        TemplateOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Description */
            description: string;
            /** Parts */
            parts: components["schemas"]["PartOut"][];
            /** Created By */
            created_by: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * TemplatePatch
         * @description What may be changed about a template; grants made of it stay as they are.
         */
        TemplatePatch: {
            /** Name */
            name?: string | null;
            /** Description */
            description?: string | null;
            /** Parts */
            parts?: components["schemas"]["PartIn"][] | null;
        };
        /**
         * TicketIn
         * @description What a login answered that asks for enrolment (`details.enrolment_token`).
         */
        TicketIn: {
            /** Enrolment Token */
            enrolment_token: string;
        };
        /**
         * TicketVerifyIn
         * @description The same with a code of the authenticator.
         */
        TicketVerifyIn: {
            /** Enrolment Token */
            enrolment_token: string;
            /** Otp Token */
            otp_token: string;
        };
        /**
         * TokenCreate
         * @description A new API token. Its scopes are permissions that the caller holds or has grants for.
         */
        TokenCreate: {
            /** Name */
            name: string;
            /** Scopes */
            scopes: string[];
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /**
             * Carries Grants
             * @default true
             */
            carries_grants?: boolean;
        };
        /**
         * TokenCreated
         * @description A new API token; `token` is told here and never again.
         */
        TokenCreated: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Scopes */
            scopes: string[];
            /** Carries Grants */
            carries_grants: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Is Expired */
            is_expired: boolean;
            /** Last Used At */
            last_used_at: string | null;
            /** Last Address */
            last_address: string;
            /** Token */
            token: string;
        };
        /**
         * TokenIssuedOut
         * @description A fresh token; the only moment at which its text is shown.
         *
         *     The others belong to the line that enrols the agent: `gateway_url` as settings tell it, and the
         *     fingerprints (`sha256:…`) of the certificate that is shown there and of the platform's root key.
         */
        TokenIssuedOut: {
            /** Id */
            id: number;
            /** Token */
            token: string;
            /** Host Id */
            host_id: number | null;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Gateway Url */
            gateway_url: string | null;
            /** Gateway Fingerprint */
            gateway_fingerprint: string | null;
            /** Root Fingerprint */
            root_fingerprint: string | null;
        };
        /**
         * TokenOut
         * @description An API token, without what makes it one.
         */
        TokenOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Scopes */
            scopes: string[];
            /** Carries Grants */
            carries_grants: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Is Expired */
            is_expired: boolean;
            /** Last Used At */
            last_used_at: string | null;
            /** Last Address */
            last_address: string;
        };
        /**
         * TokenState
         * @description What became of a token.
         * @enum {string}
         */
        TokenState: "open" | "used" | "revoked" | "expired";
        /**
         * TokensOut
         * @description A pair of tokens; `expires_in` is the life of the access token in seconds.
         */
        TokensOut: {
            /** Access Token */
            access_token: string;
            /** Refresh Token */
            refresh_token: string;
            /** Expires In */
            expires_in: number;
            user: components["schemas"]["MeOut"];
        };
        /**
         * TokensRevoked
         * @description How many API tokens were revoked.
         */
        TokensRevoked: {
            /** Revoked */
            revoked: number;
        };
        /**
         * TraceOut
         * @description Where an execution comes from and what came of it: who or what started it, what it repeats,
         *     what repeats it, and the last ten runs of the same name.
         */
        TraceOut: {
            /** Execution Id */
            execution_id: string;
            /** Execution Type */
            execution_type: string;
            /** Trigger */
            trigger: string;
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Client Ip */
            client_ip: string | null;
            /** User Agent */
            user_agent: string | null;
            /** Scheduled Job Id */
            scheduled_job_id: number | null;
            /** Parent Id */
            parent_id: string | null;
            /** Root Id */
            root_id: string;
            /** Retry Count */
            retry_count: number;
            /** Is Latest */
            is_latest: boolean;
            /** Chain */
            chain: components["schemas"]["ChainOut"][];
            /** Recent */
            recent: components["schemas"]["ChainOut"][];
        };
        /**
         * UploadOut
         * @description How far an upload is: the next piece begins at `offset`, with at most `chunk_bytes`.
         *
         *     With `file` the whole is there and nothing needs to be sent.
         */
        UploadOut: {
            /** Upload Id */
            upload_id: string;
            /** Name */
            name: string;
            /** Size */
            size: number;
            /** Offset */
            offset: number;
            /** Chunk Bytes */
            chunk_bytes: number;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            file?: components["schemas"]["FileOut"] | null;
        };
        /**
         * UploadStart
         * @description A file that is about to come in pieces; the checksum is that of the whole.
         */
        UploadStart: {
            /** Name */
            name: string;
            /** Size */
            size: number;
            /** Sha256 */
            sha256: string;
        };
        /**
         * UsageOut
         * @description What a person's files take, and what they may take.
         */
        UsageOut: {
            /** Used Bytes */
            used_bytes: number;
            /** Quota Bytes */
            quota_bytes: number;
            /** Max File Bytes */
            max_file_bytes: number;
        };
        /**
         * UserCreate
         * @description A new user. Length and content of the password are judged by the use case.
         */
        UserCreate: {
            /**
             * Display Name
             * @default
             */
            display_name?: string;
            /**
             * Email
             * @default
             */
            email?: string;
            /**
             * Phone
             * @default
             */
            phone?: string;
            /**
             * Department
             * @default
             */
            department?: string;
            /**
             * Position
             * @default
             */
            position?: string;
            /** Username */
            username: string;
            /** Password */
            password?: string | null;
            /**
             * One Time Password
             * @default false
             */
            one_time_password?: boolean;
            /** Roles */
            roles?: string[];
            /**
             * Must Change Password
             * @default false
             */
            must_change_password?: boolean;
        };
        /**
         * UserCreated
         * @description A new user; `one_time_password` is told here and never again, if one was made.
         */
        UserCreated: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Display Name */
            display_name: string;
            /** Email */
            email: string;
            /** Phone */
            phone: string;
            /** Department */
            department: string;
            /** Position */
            position: string;
            /** Roles */
            roles: string[];
            /** Groups */
            groups: components["schemas"]["GroupName"][];
            /** Origin */
            origin: string;
            /** Is Active */
            is_active: boolean;
            /** Must Change Password */
            must_change_password: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Last Login At */
            last_login_at: string | null;
            /** Deleted At */
            deleted_at: string | null;
            /** One Time Password */
            one_time_password?: string | null;
        };
        /**
         * UserOut
         * @description A user as administrators see it; `roles` are the user's own, without those of groups.
         */
        UserOut: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Display Name */
            display_name: string;
            /** Email */
            email: string;
            /** Phone */
            phone: string;
            /** Department */
            department: string;
            /** Position */
            position: string;
            /** Roles */
            roles: string[];
            /** Groups */
            groups: components["schemas"]["GroupName"][];
            /** Origin */
            origin: string;
            /** Is Active */
            is_active: boolean;
            /** Must Change Password */
            must_change_password: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Last Login At */
            last_login_at: string | null;
            /** Deleted At */
            deleted_at: string | null;
        };
        /**
         * UserPatch
         * @description What may be changed about a user; an absent field stays as it is.
         */
        UserPatch: {
            /** Display Name */
            display_name?: string | null;
            /** Email */
            email?: string | null;
            /** Phone */
            phone?: string | null;
            /** Department */
            department?: string | null;
            /** Position */
            position?: string | null;
            /** Is Active */
            is_active?: boolean | null;
            /** Roles */
            roles?: string[] | null;
        };
        /**
         * UserSort
         * @description The orders in which users can be listed; a leading minus means descending.
         * @enum {string}
         */
        UserSort: "id" | "-id" | "username" | "-username" | "created_at" | "-created_at" | "last_login_at" | "-last_login_at";
        /**
         * VariableIn
         * @description A typed variable. `value` is for this execution; `default` yields to what steps pass on.
         *
         *     A text may be anything without NUL, a number a finite JSON number or its text, a choice one of
         *     `choices`, a host list ids of hosts, a secret any text; with `as_file` the script finds the
         *     path of a private file in `<NAME>_FILE` instead of the secret itself. A secret may be referred
         *     to instead of given: `env:NAME`, `file:/path` or `vault:mount/path#field`; it is fetched when a
         *     task is offered and never stored.
         */
        VariableIn: {
            /** @default text */
            type?: components["schemas"]["VariableType"];
            /** Value */
            value?: string | number | boolean | number[] | null;
            /** Default */
            default?: string | number | boolean | number[] | null;
            /** Reference */
            reference?: string | null;
            /** Choices */
            choices?: string[] | null;
            /**
             * Required
             * @default false
             */
            required?: boolean;
            /**
             * As File
             * @default false
             */
            as_file?: boolean;
            /** Description */
            description?: string | null;
        };
        /**
         * VariableIs
         * @description What a variable, or a value that an earlier step left, is as text.
         */
        VariableIs: {
            /** Variable */
            variable: string;
            /** Equals */
            equals?: string | number | boolean | null;
            /** Not Equals */
            not_equals?: string | number | boolean | null;
            /** In */
            in?: (string | number | boolean)[] | null;
        };
        /**
         * VariableOut
         * @description A variable as everybody who may read the execution sees it; a secret says only that it is.
         *
         *     `source` is launch, default, step (passed on for the whole execution) or built_in.
         */
        VariableOut: {
            /** Name */
            name: string;
            type: components["schemas"]["VariableType"];
            /** Source */
            source: string;
            /** Value */
            value: string | null;
            /** Is Secret */
            is_secret: boolean;
            /** Reference */
            reference?: string | null;
            /** Step */
            step?: string | null;
            /** Host Ids */
            host_ids?: number[] | null;
            /** Choices */
            choices?: string[] | null;
            /** Description */
            description?: string | null;
        };
        /**
         * VariableType
         * @description What a variable holds.
         * @enum {string}
         */
        VariableType: "text" | "number" | "choice" | "secret" | "host_list";
        /**
         * VariablesOut
         * @description Every name that the execution knows, and where its value came from.
         */
        VariablesOut: {
            /** Execution Id */
            execution_id: string;
            /** Variables */
            variables: components["schemas"]["VariableOut"][];
        };
        /**
         * VerifyIn
         * @description A code of the authenticator.
         */
        VerifyIn: {
            /** Otp Token */
            otp_token: string;
        };
        /**
         * ViewAsOut
         * @description The platform as somebody else sees it, for looking only: no request is made as them.
         */
        ViewAsOut: {
            rights: components["schemas"]["RightsOut"];
            /** Visible */
            visible: {
                [key: string]: {
                    [key: string]: components["schemas"]["VisibleOut"];
                };
            };
        };
        /**
         * VisibleOut
         * @description With which objects of a kind something may be done now.
         */
        VisibleOut: {
            /** Everything */
            everything: boolean;
            /** Ids */
            ids: string[];
            /** Groups */
            groups: string[];
        };
        /**
         * WaitsFor
         * @description Why a task has not started; `code` is stable, the sentences are for people.
         */
        WaitsFor: {
            /** Code */
            code: string;
            /** Message */
            message: string;
            /** Message Zh */
            message_zh: string;
        };
        /**
         * WhoCanOut
         * @description Somebody who may, and by what.
         */
        WhoCanOut: {
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Permission */
            permission: string | null;
            /** Grant Id */
            grant_id: number | null;
        };
        /**
         * WindowIn
         * @description Hours on days of the week (1 is Monday); past midnight if it ends before it starts.
         */
        WindowIn: {
            /** Days */
            days: number[];
            /** Start */
            start: string;
            /** Until */
            until: string;
            /**
             * Zone
             * @default UTC
             */
            zone?: string;
        };
        /**
         * WindowOut
         * @description A window as it is kept.
         */
        WindowOut: {
            /** Days */
            days: number[];
            /** Start */
            start: string;
            /** Until */
            until: string;
            /** Zone */
            zone: string;
        };
        /**
         * WordOut
         * @description A word of grants and what it means.
         */
        WordOut: {
            /** Name */
            name: string;
            /** Description */
            description: string;
            /** Description Zh */
            description_zh: string;
            /** Permissions */
            permissions?: {
                [key: string]: string;
            };
        };
        /**
         * RoleOut
         * @description A role. `key` is what users and groups hold; `permissions` of an administrator is `*`.
         */
        services__auth__roles__schemas__RoleOut: {
            /** Id */
            id: number;
            /** Key */
            key: string;
            /** Name */
            name: string;
            /** Description */
            description: string;
            /** Permissions */
            permissions: string[];
            /** Is Built In */
            is_built_in: boolean;
            /** Require Two Factor */
            require_two_factor: boolean;
            /** User Count */
            user_count: number;
            /** Group Count */
            group_count: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * RoleOut
         * @description A role and what it allows.
         */
        services__auth__schemas__RoleOut: {
            /** Name */
            name: string;
            /** Permissions */
            permissions: string[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_agents_api_agents_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                status?: components["schemas"]["AgentPresence"] | null;
                host_id?: number | null;
                sort?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_AgentOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_tokens_api_agents_enrolment_tokens_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                host_id?: number | null;
                state?: components["schemas"]["TokenState"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_TokenOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    issue_token_api_agents_enrolment_tokens_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostsTokenCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokenIssuedOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    where_agents_connect_api_agents_enrolment_tokens_gateway_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GatewayOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    revoke_token_api_agents_enrolment_tokens__token_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_agent_api_agents__agent_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retire_agent_api_agents__agent_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    disable_agent_api_agents__agent_id__disable_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    enable_agent_api_agents__agent_id__enable_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    quarantine_agent_api_agents__agent_id__quarantine_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Suspicion"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    release_agent_api_agents__agent_id__release_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    new_captcha_api_auth_captcha_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["CaptchaOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_user_groups_api_auth_groups_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_GroupOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_user_group_api_auth_groups_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_user_group_api_auth_groups__group_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_user_group_api_auth_groups__group_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_user_group_api_auth_groups__group_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_user_group_members_api_auth_groups__group_id__members_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
            };
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_MemberOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    add_user_group_members_api_auth_groups__group_id__members_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MembersAdd"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    remove_user_group_member_api_auth_groups__group_id__members__user_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    login_api_auth_login_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokensOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    logout_api_auth_logout_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["LoggedOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    me_api_auth_me_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ProfileOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_profile_api_auth_me_patch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfilePatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ProfileOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    disable_api_auth_mfa_disable_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DisableIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    set_up_before_login_api_auth_mfa_enrolment_setup_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TicketIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["SetupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    verify_before_login_api_auth_mfa_enrolment_verify_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TicketVerifyIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RecoveryCodesOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    renew_recovery_codes_api_auth_mfa_recovery_codes_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RecoveryCodesOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    set_up_api_auth_mfa_setup_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["SetupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_status_api_auth_mfa_status_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["FactorStatus"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    reset_api_auth_mfa_users__user_id__reset_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    verify_api_auth_mfa_verify_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RecoveryCodesOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    come_back_api_auth_oidc__provider__callback_get: {
        parameters: {
            query?: {
                state?: string;
                code?: string | null;
                iss?: string | null;
                error?: string | null;
            };
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    prove_api_auth_oidc__provider__prove_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProofWay"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ProofDeparture"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    start_api_auth_oidc__provider__start_get: {
        parameters: {
            query?: {
                return_to?: string;
            };
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_options_api_auth_options_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["OptionsOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_password_api_auth_password_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    refresh_api_auth_refresh_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokensOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_roles_api_auth_roles_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Roles Api Auth Roles Get */
                        content: components["schemas"]["services__auth__schemas__RoleOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_own_sessions_api_auth_sessions_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Own Sessions Api Auth Sessions Get */
                        content: components["schemas"]["LoginOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    end_all_own_sessions_api_auth_sessions_delete: {
        parameters: {
            query?: {
                but_current?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Ended"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    end_own_session_api_auth_sessions__session_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_proof_api_auth_step_up_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ProofOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    prove_api_auth_step_up_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProofIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ProofOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_own_tokens_api_auth_tokens_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Own Tokens Api Auth Tokens Get */
                        content: components["schemas"]["TokenOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_token_api_auth_tokens_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokenCreated"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    revoke_own_token_api_auth_tokens__token_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_users_api_auth_users_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                is_active?: boolean | null;
                role?: string | null;
                group_id?: number | null;
                include_deleted?: boolean;
                sort?: components["schemas"]["UserSort"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_UserOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_user_api_auth_users_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserCreated"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_user_api_auth_users__user_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_user_api_auth_users__user_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_user_api_auth_users__user_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    disable_user_api_auth_users__user_id__disable_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    enable_user_api_auth_users__user_id__enable_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    reset_password_api_auth_users__user_id__reset_password_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["PasswordReset"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_sessions_of_user_api_auth_users__user_id__sessions_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Sessions Of User Api Auth Users  User Id  Sessions Get */
                        content: components["schemas"]["LoginOut"][];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    end_sessions_of_user_api_auth_users__user_id__sessions_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Ended"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_tokens_of_user_api_auth_users__user_id__tokens_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Tokens Of User Api Auth Users  User Id  Tokens Get */
                        content: components["schemas"]["TokenOut"][];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    revoke_tokens_of_user_api_auth_users__user_id__tokens_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokensRevoked"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    revoke_token_of_user_api_auth_users__user_id__tokens__token_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
                token_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_rules_api_executor_command_rules_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                action?: components["schemas"]["RuleAction"] | null;
                is_enabled?: boolean | null;
                search?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_RuleOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_rule_api_executor_command_rules_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RuleCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RuleOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    check_script_api_executor_command_rules_check_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExecutionCheckIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExecutionCheckOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_rule_api_executor_command_rules__rule_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                rule_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RuleOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_rule_api_executor_command_rules__rule_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                rule_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_rule_api_executor_command_rules__rule_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                rule_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RulePatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RuleOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_executions_api_executor_execution_records_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                status?: components["schemas"]["ExecutionStatus"][] | null;
                search?: string | null;
                name?: string | null;
                execution_type?: string | null;
                executed_by?: number | null;
                scheduled_job_id?: number | null;
                start_date?: string | null;
                end_date?: string | null;
                include_retries?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_ExecutionOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    run_execution_api_executor_execution_records_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExecutionIn"];
            };
        };
        responses: {
            /** @description What the first request was answered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    stop_many_api_executor_execution_records_bulk_stop_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkStopIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["BulkStopOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    preview_execution_api_executor_execution_records_preview_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExecutionIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Preview"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_execution_api_executor_execution_records__execution_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExecutionDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancel_execution_api_executor_execution_records__execution_id__cancel_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OperationIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StopOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    download_collected_api_executor_execution_records__execution_id__collected_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": unknown;
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    force_terminate_api_executor_execution_records__execution_id__force_terminate_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OperationIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StopOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    ignore_step_error_api_executor_execution_records__execution_id__ignore_step_error_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IgnoreErrorIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StepControlOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    read_log_api_executor_execution_records__execution_id__logs_get: {
        parameters: {
            query?: {
                position?: number;
                tail?: number | null;
                limit_bytes?: number;
                host_id?: number | null;
                step_id?: string | null;
                stream?: ("stdout" | "stderr") | null;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["LogPage"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    download_log_api_executor_execution_records__execution_id__logs_download_get: {
        parameters: {
            query?: {
                format?: "txt" | "zip";
                host_id?: number | null;
                step_id?: string | null;
                stream?: ("stdout" | "stderr") | null;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    read_lines_api_executor_execution_records__execution_id__logs_lines_get: {
        parameters: {
            query?: {
                from_line?: number;
                limit?: number;
                host_id?: number | null;
                step_id?: string | null;
                stream?: ("stdout" | "stderr") | null;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["LinesPage"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    search_log_api_executor_execution_records__execution_id__logs_search_get: {
        parameters: {
            query: {
                q: string;
                regex?: boolean;
                ignore_case?: boolean;
                cursor?: number;
                limit?: number;
                host_id?: number | null;
                step_id?: string | null;
                stream?: ("stdout" | "stderr") | null;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["SearchOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_operations_api_executor_execution_records__execution_id__operation_logs_get: {
        parameters: {
            query?: {
                action?: components["schemas"]["ExecutionAction"] | null;
                page?: number;
                page_size?: number;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_OperationOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    group_outputs_api_executor_execution_records__execution_id__output_groups_get: {
        parameters: {
            query?: {
                step_id?: string | null;
                stream?: "stdout" | "stderr";
                mask_host?: boolean;
                mask_times?: boolean;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupsOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    compare_outputs_api_executor_execution_records__execution_id__output_groups_diff_get: {
        parameters: {
            query: {
                b: string;
                a?: string | null;
                step_id?: string | null;
                stream?: "stdout" | "stderr";
                mask_host?: boolean;
                mask_times?: boolean;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["DiffOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    pause_execution_api_executor_execution_records__execution_id__pause_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OperationIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ControlOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    resume_execution_api_executor_execution_records__execution_id__resume_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OperationIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ControlOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retry_execution_api_executor_execution_records__execution_id__retry_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RetryIn"] | null;
            };
        };
        responses: {
            /** @description What the first request was answered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RetryOut"];
                    };
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RetryOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retry_history_api_executor_execution_records__execution_id__retry_history_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HistoryOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retry_step_api_executor_execution_records__execution_id__retry_step_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetryStepIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StepControlOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    confirm_step_api_executor_execution_records__execution_id__steps__step_id__confirm_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StepControlOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    step_content_api_executor_execution_records__execution_id__steps__step_id__content_get: {
        parameters: {
            query?: {
                host_id?: number | null;
            };
            header?: never;
            path: {
                execution_id: string;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StepContentOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    read_host_log_api_executor_execution_records__execution_id__steps__step_id__hosts__host_id__logs_get: {
        parameters: {
            query?: {
                pointer?: number;
                limit?: number;
            };
            header?: never;
            path: {
                execution_id: string;
                step_id: string;
                host_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostLogPage"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    step_result_api_executor_execution_records__execution_id__steps__step_id__result_get: {
        parameters: {
            query?: {
                status?: components["schemas"]["TaskStatus"] | null;
                page?: number;
                page_size?: number;
            };
            header?: never;
            path: {
                execution_id: string;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StepResultOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    skip_step_api_executor_execution_records__execution_id__steps__step_id__skip_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
                step_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OperationIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["StepControlOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_tasks_api_executor_execution_records__execution_id__tasks_get: {
        parameters: {
            query?: {
                status?: components["schemas"]["TaskStatus"] | null;
                step_id?: string | null;
                page?: number;
                page_size?: number;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_TaskOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_attempts_api_executor_execution_records__execution_id__tasks__task_id__attempts_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Attempts Api Executor Execution Records  Execution Id  Tasks  Task Id  Attempts Get */
                        content: components["schemas"]["AttemptOut"][];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancel_task_api_executor_execution_records__execution_id__tasks__task_id__cancel_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path: {
                execution_id: string;
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OperationIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TaskCancelOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    trace_execution_api_executor_execution_records__execution_id__trace_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TraceOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_variables_api_executor_execution_records__execution_id__variables_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["VariablesOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_security_events_api_executor_security_events_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                agent_id?: string | null;
                reason?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_SecurityEventOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_files_api_files_get: {
        parameters: {
            query?: {
                kind?: components["schemas"]["FileKind"] | null;
                search?: string | null;
                execution_id?: string | null;
                page?: number;
                page_size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_FileOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    start_upload_api_files_uploads_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UploadStart"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UploadOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_upload_api_files_uploads__upload_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UploadOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    send_piece_api_files_uploads__upload_id__put: {
        parameters: {
            query?: {
                offset?: number | null;
            };
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UploadOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancel_upload_api_files_uploads__upload_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    complete_upload_api_files_uploads__upload_id__complete_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["FileOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_usage_api_files_usage_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UsageOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_file_api_files__file_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["FileOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_file_api_files__file_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    download_file_api_files__file_id__content_get: {
        parameters: {
            query?: never;
            header?: {
                Range?: string | null;
            };
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description A part of it */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_hosts_api_hosts_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                group_id?: number | null;
                agent_status?: components["schemas"]["AgentPresence"] | null;
                sort?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_HostOut_"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    register_host_api_hosts_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_groups_api_hosts_groups_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                parent_id?: number | null;
                sort?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostsPage_GroupOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_group_api_hosts_groups_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostsGroupCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostsGroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_group_api_hosts_groups__group_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostsGroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_group_api_hosts_groups__group_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_group_api_hosts_groups__group_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostsGroupPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostsGroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_host_api_hosts__host_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retire_host_api_hosts__host_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_host_api_hosts__host_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_approvals_api_permissions_approvals_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                state?: components["schemas"]["ApprovalState"] | null;
                subject_kind?: string | null;
                mine_to_decide?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_ApprovalInfo_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_approval_api_permissions_approvals__approval_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ApprovalDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    decide_approval_api_permissions_approvals__approval_id__decide_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                approval_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecideIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ApprovalInfo"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_audit_logs_api_permissions_audit_logs_get: {
        parameters: {
            query?: {
                search?: string | null;
                user_id?: number | null;
                action?: string | null;
                success?: boolean | null;
                resource_type?: string | null;
                resource_id?: string | null;
                start_date?: string | null;
                end_date?: string | null;
                ip_address?: string | null;
                cursor?: number | null;
                page_size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AuditPage"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    export_audit_logs_api_permissions_audit_logs_export_get: {
        parameters: {
            query?: {
                search?: string | null;
                user_id?: number | null;
                action?: string | null;
                success?: boolean | null;
                resource_type?: string | null;
                resource_id?: string | null;
                start_date?: string | null;
                end_date?: string | null;
                ip_address?: string | null;
                format?: components["schemas"]["ExportForm"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_audit_log_api_permissions_audit_logs__record_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                record_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AuditDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    catalogue_api_permissions_catalogue_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["CatalogueOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    check_api_permissions_check_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["CheckOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    check_many_api_permissions_check_many_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckManyIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response Check Many Api Permissions Check Many Post */
                        content: components["schemas"]["CheckOut"][];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    explain_api_permissions_explain_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExplainIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExplainOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_grants_api_permissions_grants_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                subject_type?: components["schemas"]["Subject"] | null;
                subject_id?: number | null;
                object_type?: components["schemas"]["ObjectType"] | null;
                object_id?: string | null;
                action?: components["schemas"]["Action"] | null;
                state?: components["schemas"]["GrantState"] | null;
                created_by?: number | null;
                template_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_GrantOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_grant_api_permissions_grants_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GrantOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_grant_api_permissions_grants__grant_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GrantOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    revoke_grant_api_permissions_grants__grant_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GrantOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_grant_api_permissions_grants__grant_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GrantOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    my_permissions_api_permissions_my_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RightsOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_permissions_api_permissions_permissions_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Permissions Api Permissions Permissions Get */
                        content: components["schemas"]["PermissionOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    resource_permissions_api_permissions_resource_permissions_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResourcesIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response Resource Permissions Api Permissions Resource Permissions Post */
                        content: {
                            [key: string]: {
                                [key: string]: boolean;
                            };
                        };
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_roles_api_permissions_roles_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Roles Api Permissions Roles Get */
                        content: components["schemas"]["services__auth__roles__schemas__RoleOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_role_api_permissions_roles_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["services__auth__roles__schemas__RoleOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_role_api_permissions_roles__role_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                role_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["services__auth__roles__schemas__RoleOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_role_api_permissions_roles__role_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                role_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_role_api_permissions_roles__role_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                role_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolePatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["services__auth__roles__schemas__RoleOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_templates_api_permissions_templates_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Templates Api Permissions Templates Get */
                        content: components["schemas"]["TemplateOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_template_api_permissions_templates_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplateCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TemplateOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_template_api_permissions_templates__template_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                template_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TemplateOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_template_api_permissions_templates__template_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                template_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_template_api_permissions_templates__template_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                template_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplatePatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TemplateOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    apply_template_api_permissions_templates__template_id__apply_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                template_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TemplateApply"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response Apply Template Api Permissions Templates  Template Id  Apply Post */
                        content: components["schemas"]["GrantOut"][];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    user_permissions_api_permissions_user_permissions__user_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["RightsOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    view_as_api_permissions_view_as__user_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ViewAsOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    who_can_api_permissions_who_can_get: {
        parameters: {
            query: {
                page?: number;
                page_size?: number;
                action: components["schemas"]["Action"];
                object_type: components["schemas"]["ObjectType"];
                object_id: string;
                what?: string;
                account?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_WhoCanOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    collect_files_api_quick_collect_files_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CollectRun"];
            };
        };
        responses: {
            /** @description What the first request was answered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    execute_script_api_quick_execute_script_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScriptRun"];
            };
        };
        responses: {
            /** @description What the first request was answered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    transfer_file_api_quick_transfer_file_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Name */
                    name?: string | null;
                    /** Target Host Ids */
                    target_host_ids?: number[];
                    /** Target Group Ids */
                    target_group_ids?: number[];
                    /**
                     * Timeout
                     * @default 3600
                     */
                    timeout?: number;
                    /** Run As */
                    run_as?: string | null;
                    /** Not After Seconds */
                    not_after_seconds?: number | null;
                    strategy?: {
                        /**
                         * Mode
                         * @description Whether hosts start together, one by one, or in batches.
                         * @enum {string}
                         */
                        mode?: "parallel" | "serial" | "rolling";
                        /** Concurrency */
                        concurrency?: number | null;
                        /** Batches */
                        batches?: string[] | null;
                        /** Batch Size */
                        batch_size?: number | null;
                        /** Batch Percent */
                        batch_percent?: number | null;
                        /**
                         * Batch Delay Seconds
                         * @default 0
                         */
                        batch_delay_seconds?: number;
                        /** Confirm Between */
                        confirm_between?: ("none" | "first" | "each") | boolean;
                        /** Canary */
                        canary?: number | null;
                        /**
                         * HostOrder
                         * @description Which host comes first.
                         * @enum {string}
                         */
                        order?: "request" | "name" | "ip" | "random" | "rank";
                        /** Ranks */
                        ranks?: {
                            [key: string]: number;
                        };
                        failure_threshold?: {
                            /** Hosts */
                            hosts?: number | null;
                            /** Percent */
                            percent?: number | null;
                            /**
                             * Action
                             * @default stop
                             * @enum {string}
                             */
                            action?: "stop" | "pause" | "ignore";
                        } | null;
                    } | null;
                    /**
                     * Mode
                     * @description Whether hosts start together, one by one, or in batches.
                     * @enum {string}
                     */
                    execution_mode?: "parallel" | "serial" | "rolling";
                    /**
                     * Rolling Strategy
                     * @default fail_pause
                     * @enum {string}
                     */
                    rolling_strategy?: "fail_pause" | "ignore_error";
                    /**
                     * Rolling Batch Size
                     * @default 20
                     */
                    rolling_batch_size?: number;
                    /**
                     * Rolling Batch Delay
                     * @default 0
                     */
                    rolling_batch_delay?: number;
                    /**
                     * Retries
                     * @default 0
                     */
                    retries?: number;
                    /**
                     * Retry Delay Seconds
                     * @default 0
                     */
                    retry_delay_seconds?: number;
                    /**
                     * Ignore Error
                     * @default false
                     */
                    ignore_error?: boolean;
                    /** Variables */
                    variables?: {
                        [key: string]: {
                            /**
                             * VariableType
                             * @description What a variable holds.
                             * @enum {string}
                             */
                            type?: "text" | "number" | "choice" | "secret" | "host_list";
                            /** Value */
                            value?: string | number | boolean | number[] | null;
                            /** Default */
                            default?: string | number | boolean | number[] | null;
                            /** Reference */
                            reference?: string | null;
                            /** Choices */
                            choices?: string[] | null;
                            /**
                             * Required
                             * @default false
                             */
                            required?: boolean;
                            /**
                             * As File
                             * @default false
                             */
                            as_file?: boolean;
                            /** Description */
                            description?: string | null;
                        } | string | number | boolean | number[];
                    };
                    /**
                     * Priority
                     * @default 5
                     */
                    priority?: number;
                    /** Confirmed Host Count */
                    confirmed_host_count?: number | null;
                    /** Bandwidth Limit */
                    bandwidth_limit?: number | null;
                    /** Total Bandwidth Limit */
                    total_bandwidth_limit?: number | null;
                    /** Remote Path */
                    remote_path: string;
                    /** Artifact Ids */
                    artifact_ids?: string[];
                    /** Sources */
                    sources?: {
                        /**
                         * Type
                         * @default artifact
                         * @enum {string}
                         */
                        type?: "artifact" | "local" | "server";
                        /** Artifact Id */
                        artifact_id?: string | null;
                        /** File Field */
                        file_field?: string | null;
                        /** Host Id */
                        host_id?: number | null;
                        /** Path */
                        path?: string | null;
                        /** Excludes */
                        excludes?: string[];
                        /** Name */
                        name?: string | null;
                        /** Remote Path */
                        remote_path?: string | null;
                    }[];
                    /**
                     * Overwrite
                     * @description What happens when the target is there already.
                     * @enum {string}
                     */
                    overwrite_policy?: "overwrite" | "skip" | "backup" | "fail";
                    /** Transfer Mode */
                    transfer_mode?: ("upload" | "push" | "overwrite" | "skip" | "backup" | "fail") | null;
                    /** Mode */
                    mode?: string | null;
                    /** Folder Mode */
                    folder_mode?: string | null;
                    /** Owner */
                    owner?: string | null;
                    /** Group */
                    group?: string | null;
                    /** Local Path */
                    local_path?: string | null;
                };
                "multipart/form-data": {
                    remote_path: string;
                    /** @example [1, 2] */
                    target_host_ids?: string;
                    sources?: string;
                    /** Format: binary */
                    file?: string;
                };
            };
        };
        responses: {
            /** @description What the first request was answered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    follow_execution_api_realtime_sse__kind___execution_id__get: {
        parameters: {
            query?: {
                host_id?: number | null;
                step_id?: string | null;
                stream?: ("stdout" | "stderr") | null;
                last_event_id?: string | null;
            };
            header?: {
                "Last-Event-ID"?: string | null;
            };
            path: {
                kind: "logs" | "status" | "combined";
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
}
