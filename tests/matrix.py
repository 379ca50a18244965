"""Who may do what: one line per route, one column per person, the answer each of them gets.

The document is Alice's and assigned to Bob; keys, clients and sessions are Max's; the entry is Max's; the person decided
about is a stranger to all.  Everybody sends the same, well-formed request with the credentials they have: a browser
session and its form token for pages, a bearer token for programs, Basic for `/protected`.  Penny and Dora never had a
token and call without one; Sam's tokens ended when he was suspended.

Answers are statuses, and for redirects (303) `login` means "on to the sign-in page", `status` "see how your account stands" and
`done` "carried out, go on here".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PEOPLE = ("visitor", "max", "alice", "bob", "charlie", "edith", "ada", "penny", "dora", "sam")

TABLE = """
#                                                                       visitor max     alice   bob     charlie edith   ada     penny   dora    sam
GET    /                                                                200     200     200     200     200     200     200     200     200     200
GET    /account                                                         login   200     200     200     200     200     200     status  status  status
GET    /account/applications                                            login   200     200     200     200     200     200     status  status  status
POST   /account/applications/<uuid:client_id>/disconnect                login   done    done    done    done    done    done    status  status  status
POST   /account/applications/sign-ins/<uuid:family_id>/end               login   404     404     404     404     404     404     status  status  status
GET    /account/clients                                                 login   200     200     200     200     200     200     status  status  status
POST   /account/clients/<uuid:client_id>/end                            login   done    404     404     404     404     done    status  status  status
GET    /account/clients/new                                             login   200     200     200     200     200     200     status  status  status
POST   /account/clients/new                                             login   201     201     201     201     201     201     status  status  status
GET    /account/confirm                                                 login   200     200     200     200     200     200     status  status  status
POST   /account/confirm                                                 login   done    done    done    done    done    done    status  status  status
GET    /account/history                                                 login   200     200     200     200     200     200     status  status  status
GET    /account/keys                                                    login   200     200     200     200     200     200     status  status  status
POST   /account/keys/<uuid:key_id>/revoke                               login   done    404     404     404     404     404     status  status  status
GET    /account/keys/new                                                login   200     200     200     200     200     200     status  status  status
POST   /account/keys/new                                                login   201     201     201     201     201     201     status  status  status
GET    /account/password                                                login   200     200     200     200     200     200     status  status  status
POST   /account/password                                                login   422     422     422     422     422     422     status  status  status
GET    /account/profile                                                 login   200     200     200     200     200     200     status  status  status
POST   /account/profile                                                 login   done    done    done    done    done    done    status  status  status
GET    /account/sessions                                                login   200     200     200     200     200     200     status  status  status
POST   /account/sessions/<uuid:session_id>/end                          login   done    404     404     404     404     404     status  status  status
POST   /account/sessions/end-others                                     login   done    done    done    done    done    done    status  status  status
GET    /account/status                                                  login   done    done    done    done    done    done    200     200     200
GET    /admin/                                                          login   403     403     403     403     403     200     status  status  status
GET    /admin/audit                                                     login   403     403     403     403     403     200     status  status  status
GET    /admin/audit.csv                                                 login   403     403     403     403     403     200     status  status  status
GET    /admin/audit.jsonl                                               login   403     403     403     403     403     200     status  status  status
GET    /admin/clients                                                   login   403     403     403     403     403     200     status  status  status
POST   /admin/clients/<uuid:client_id>/end                              login   403     403     403     403     403     done    status  status  status
GET    /admin/documents                                                 login   403     403     403     403     403     200     status  status  status
GET    /admin/quotas                                                    login   403     403     403     403     403     200     status  status  status
GET    /admin/people                                                    login   403     403     403     403     403     200     status  status  status
GET    /admin/people/<uuid:person_id>                                   login   403     403     403     403     403     200     status  status  status
POST   /admin/people/<uuid:person_id>/<string:verb>                     login   403     403     403     403     403     done    status  status  status
POST   /admin/people/<uuid:person_id>/end-sessions                      login   403     403     403     403     403     done    status  status  status
POST   /admin/people/<uuid:person_id>/roles                             login   403     403     403     403     403     done    status  status  status
POST   /admin/people/<uuid:person_id>/sessions/<uuid:session_id>/end    login   403     403     403     403     403     404     status  status  status
POST   /admin/people/<uuid:person_id>/sign-ins/<uuid:family_id>/end     login   403     403     403     403     403     404     status  status  status
GET    /admin/people/bulk                                               login   403     403     403     403     403     done    status  status  status
POST   /admin/people/bulk                                               login   403     403     403     403     403     done    status  status  status
POST   /admin/people/bulk/decide                                        login   403     403     403     403     403     done    status  status  status
GET    /admin/people/bulk/done                                          login   403     403     403     403     403     done    status  status  status
GET    /admin/queue                                                     login   403     403     403     403     403     200     status  status  status
GET    /admin/secrets                                                   login   403     403     403     403     403     200     status  status  status
POST   /admin/secrets/refresh                                           login   403     403     403     403     403     done    status  status  status
GET    /admin/secrets/rotate                                            login   403     403     403     403     403     200     status  status  status
POST   /admin/secrets/rotate                                            login   403     403     403     403     403     done    status  status  status
GET    /admin/security                                                  login   403     403     403     403     403     200     status  status  status
GET    /admin/sessions                                                  login   403     403     403     403     403     200     status  status  status
POST   /admin/sessions/<uuid:person_id>/<uuid:session_id>/end           login   403     403     403     403     403     404     status  status  status
GET    /console                                                         200     200     200     200     200     200     200     200     200     200
GET    /docs                                                            200     200     200     200     200     200     200     200     200     200
GET    /docs/assets/<string:name>                                       200     200     200     200     200     200     200     200     200     200
GET    /documents/<uuid:document_id>/attachments                        login   404     200     200     404     404     200     status  status  status
POST   /documents/<uuid:document_id>/attachments                        login   403     415     415     404     404     403     status  status  status
POST   /documents/<uuid:document_id>/attachments/new                    login   403     415     415     404     404     403     status  status  status
GET    /documents/<uuid:document_id>/attachments/<uuid:attachment_id>   login   404     200     200     404     404     200     status  status  status
GET    /documents/<uuid:document_id>/attachments/<uuid:attachment_id>/image login 404   200     200     404     404     200     status  status  status
POST   /documents/<uuid:document_id>/attachments/<uuid:attachment_id>/remove login   403     done    done    404     404     403     status  status  status
GET    /documents/<uuid:document_id>/export                             login   404     200     200     404     404     200     status  status  status
GET    /documents/<uuid:document_id>/export.md                          login   404     200     200     404     404     200     status  status  status
GET    /documents/<uuid:document_id>/export.epub                        login   404     200     200     404     404     200     status  status  status
GET    /documents/<uuid:document_id>/export.pdf                         login   404     200     200     404     404     200     status  status  status
GET    /entry/<uuid:entry_id>.pdf                                       login   200     200     200     200     200     200     status  status  status
GET    /editor/dashboard                                                login   403     403     200     403     200     403     status  status  status
GET    /editor/documents                                                login   403     403     200     403     200     403     status  status  status
GET    /editor/documents/<uuid:document_id>                             login   403     403     200     403     404     403     status  status  status
POST   /editor/documents/<uuid:document_id>                             login   403     403     done    403     404     403     status  status  status
POST   /editor/documents/<uuid:document_id>/<string:name>               login   403     403     done    403     404     403     status  status  status
POST   /editor/documents/<uuid:document_id>/comments                    login   403     403     done    403     404     403     status  status  status
POST   /editor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb> login   403     403     404     403     404     403     status  status  status
GET    /editor/documents/<uuid:document_id>/compare                     login   403     403     200     403     404     403     status  status  status
GET    /editor/documents/<uuid:document_id>/versions                    login   403     403     200     403     404     403     status  status  status
GET    /editor/documents/<uuid:document_id>/versions/<int:number>       login   403     403     200     403     404     403     status  status  status
POST   /editor/documents/<uuid:document_id>/versions/<int:number>/restore login   403     403     done    403     404     403     status  status  status
GET    /editor/logout                                                   login   200     200     200     200     200     200     200     200     200
POST   /editor/logout                                                   done    done    done    done    done    done    done    done    done    done
GET    /entry                                                           login   200     200     200     200     200     200     status  status  status
POST   /entry                                                           login   done    done    done    done    done    done    status  status  status
GET    /entry/<uuid:entry_id>                                           200     200     200     200     200     200     200     200     200     200
GET    /entry/<uuid:entry_id>/edit                                      login   200     404     404     404     404     404     status  status  status
POST   /entry/<uuid:entry_id>/edit                                      login   done    404     404     404     404     404     status  status  status
POST   /entry/<uuid:entry_id>/withdraw                                  login   done    404     404     404     404     404     status  status  status
POST   /entry/<uuid:entry_id>/publish                                   login   done    404     404     404     404     404     status  status  status
GET    /entry/<uuid:entry_id>/versions                                  login   200     404     404     404     404     404     status  status  status
GET    /entry/<uuid:entry_id>/versions/<int:number>                     login   200     404     404     404     404     404     status  status  status
GET    /entry/<uuid:entry_id>/compare                                   login   200     404     404     404     404     404     status  status  status
POST   /entry/<uuid:entry_id>/versions/<int:number>/restore             login   done    404     404     404     404     404     status  status  status
POST   /drafts                                                          login   200     200     200     200     200     200     status  status  status
GET    /drafts                                                          login   200     200     200     200     200     200     status  status  status
POST   /drafts/keep                                                     login   done    done    done    done    done    done    status  status  status
GET    /entries                                                         login   200     200     200     200     200     200     status  status  status
GET    /documents/<uuid:document_id>                                    login   404     done    done    404     404     404     status  status  status
POST   /drafts/discard                                                  login   done    done    done    done    done    done    status  status  status
POST   /drafts/preview                                                  login   200     200     200     200     200     200     status  status  status
GET    /archive                                                         200     200     200     200     200     200     200     200     200     200
GET    /archive/<int:year>/<int:month>                                  200     200     200     200     200     200     200     200     200     200
GET    /by/<uuid:person_id>                                             404     404     404     404     404     404     404     404     404     404
GET    /by/<uuid:person_id>/feed.atom                                   404     404     404     404     404     404     404     404     404     404
GET    /by/<uuid:person_id>/feed.json                                   404     404     404     404     404     404     404     404     404     404
GET    /tag/<string:words>                                              404     404     404     404     404     404     404     404     404     404
GET    /tag/<string:words>/feed.atom                                    404     404     404     404     404     404     404     404     404     404
GET    /tag/<string:words>/feed.json                                    404     404     404     404     404     404     404     404     404     404
GET    /tags                                                            200     200     200     200     200     200     200     200     200     200
GET    /feed.atom                                                       200     200     200     200     200     200     200     200     200     200
GET    /feed.json                                                       200     200     200     200     200     200     200     200     200     200
GET    /entry/<uuid:entry_id>/<string:words>                            200     200     200     200     200     200     200     200     200     200
GET    /login                                                           200     done    done    done    done    done    done    status  status  status
POST   /login                                                           401     done    done    done    done    done    done    status  status  status
GET    /logout                                                          login   200     200     200     200     200     200     200     200     200
POST   /logout                                                          done    done    done    done    done    done    done    done    done    done
GET    /oauth/authorize                                                 login   400     400     400     400     400     400     status  status  status
POST   /oauth/authorize                                                 login   400     400     400     400     400     400     status  status  status
GET    /register                                                        200     200     200     200     200     200     200     200     200     200
POST   /register                                                        login   login   login   login   login   login   login   login   login   login
GET    /search                                                          200     200     200     200     200     200     200     200     200     200
GET    /security-policy                                                 200     200     200     200     200     200     200     200     200     200
GET    /signupeditor                                                    200     200     200     200     200     200     200     200     200     200
POST   /signupeditor                                                    login   login   login   login   login   login   login   login   login   login
GET    /signupsponsor                                                   200     200     200     200     200     200     200     200     200     200
POST   /signupsponsor                                                   login   login   login   login   login   login   login   login   login   login
GET    /sponsor/dashboard                                               login   403     200     403     200     403     403     status  status  status
GET    /sponsor/documents                                               login   403     200     403     200     403     403     status  status  status
GET    /sponsor/documents/<uuid:document_id>                            login   403     200     403     404     403     403     status  status  status
POST   /sponsor/documents/<uuid:document_id>                            login   403     done    403     404     403     403     status  status  status
POST   /sponsor/documents/<uuid:document_id>/<string:name>              login   403     done    403     404     403     403     status  status  status
POST   /sponsor/documents/<uuid:document_id>/comments                   login   403     done    403     404     403     403     status  status  status
POST   /sponsor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb> login   403     404     403     404     403     403     status  status  status
GET    /sponsor/documents/<uuid:document_id>/compare                    login   403     200     403     404     403     403     status  status  status
GET    /sponsor/documents/<uuid:document_id>/versions                   login   403     200     403     404     403     403     status  status  status
GET    /sponsor/documents/<uuid:document_id>/versions/<int:number>      login   403     200     403     404     403     403     status  status  status
POST   /sponsor/documents/<uuid:document_id>/versions/<int:number>/restore login   403     done    403     404     403     403     status  status  status
GET    /sponsor/logout                                                  login   200     200     200     200     200     200     200     200     200
POST   /sponsor/logout                                                  done    done    done    done    done    done    done    done    done    done
GET    /sponsor/newdocument                                             login   403     200     403     200     403     403     status  status  status
POST   /sponsor/newdocument                                             login   403     done    403     done    403     403     status  status  status
GET    /static/<path:filename>                                          200     200     200     200     200     200     200     200     200     200
GET    /.well-known/jwks.json                                           200     200     200     200     200     200     200     200     200     200
GET    /.well-known/oauth-authorization-server                          200     200     200     200     200     200     200     200     200     200
GET    /.well-known/openid-configuration                                200     200     200     200     200     200     200     200     200     200
GET    /.well-known/security.txt                                        200     200     200     200     200     200     200     200     200     200
POST   /api/csp-reports                                                204     204     204     204     204     204     204     204     204     204
POST   /api/login                                                       401     200     200     200     200     200     200     403     403     403
GET    /api/openapi.json                                                200     200     200     200     200     200     200     200     200     200
GET    /api/secure                                                      401     200     200     200     200     200     200     401     401     401
GET    /api/unsecure                                                    200     200     200     200     200     200     200     200     200     200
GET    /api/v1/admin/audit                                              401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/audit.csv                                          401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/audit.jsonl                                        401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/clients                                            401     403     403     403     403     403     200     401     401     401
DELETE /api/v1/admin/clients/<uuid:client_id>                           401     403     403     403     403     403     204     401     401     401
GET    /api/v1/admin/overview                                           401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/people                                             401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/people/<uuid:person_id>                            401     403     403     403     403     403     200     401     401     401
POST   /api/v1/admin/people/<uuid:person_id>/approve                    401     403     403     403     403     403     200     401     401     401
POST   /api/v1/admin/people/<uuid:person_id>/decline                    401     403     403     403     403     403     200     401     401     401
POST   /api/v1/admin/people/<uuid:person_id>/end-sessions               401     403     403     403     403     403     200     401     401     401
POST   /api/v1/admin/people/<uuid:person_id>/reinstate                  401     403     403     403     403     403     200     401     401     401
PUT    /api/v1/admin/people/<uuid:person_id>/roles                      401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/people/<uuid:person_id>/sessions                   401     403     403     403     403     403     200     401     401     401
DELETE /api/v1/admin/people/<uuid:person_id>/sessions/<uuid:session_id> 401     403     403     403     403     403     404     401     401     401
DELETE /api/v1/admin/people/<uuid:person_id>/sign-ins/<uuid:family_id>  401     403     403     403     403     403     404     401     401     401
POST   /api/v1/admin/people/<uuid:person_id>/suspend                    401     403     403     403     403     403     200     401     401     401
POST   /api/v1/admin/people/bulk                                        401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/secrets                                            401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/security                                           401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/security/events                                    401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/security/policy-reports                            401     403     403     403     403     403     200     401     401     401
GET    /api/v1/admin/sessions                                           401     403     403     403     403     403     200     401     401     401
POST   /api/v1/auth/refresh                                             401     401     401     401     401     401     401     401     401     401
POST   /api/v1/auth/revoke                                              204     204     204     204     204     204     204     204     204     204
POST   /api/v1/auth/token                                               401     200     200     200     200     200     200     403     403     403
GET    /api/v1/documents                                                401     200     200     200     200     200     200     401     401     401
POST   /api/v1/documents                                                401     403     201     403     201     403     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>                             401     404     200     200     404     404     200     401     401     401
PATCH  /api/v1/documents/<uuid:document_id>                             401     404     200     200     404     404     403     401     401     401
POST   /api/v1/documents/<uuid:document_id>/accept                      401     404     200     403     404     404     403     401     401     401
POST   /api/v1/documents/<uuid:document_id>/archive                     401     404     200     403     404     404     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>/attachments                 401     404     200     200     404     404     200     401     401     401
POST   /api/v1/documents/<uuid:document_id>/attachments                 401     404     422     422     404     404     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>/attachments/<uuid:attachment_id> 401 404    200     200     404     404     200     401     401     401
DELETE /api/v1/documents/<uuid:document_id>/attachments/<uuid:attachment_id> 401     404     204     204     404     404     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>/attachments/<uuid:attachment_id>/content 401 404 200 200    404     404     200     401     401     401
POST   /api/v1/documents/<uuid:document_id>/cancel                      401     404     200     403     404     404     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>/comments                    401     404     200     200     404     404     200     401     401     401
POST   /api/v1/documents/<uuid:document_id>/comments                    401     404     201     201     404     404     201     401     401     401
POST   /api/v1/documents/<uuid:document_id>/comments/<uuid:comment_id>/resolve 401     404     404     404     404     404     404     401     401     401
POST   /api/v1/documents/<uuid:document_id>/comments/<uuid:comment_id>/reopen 401     404     404     404     404     404     404     401     401     401
GET    /api/v1/documents/<uuid:document_id>/diff                        401     404     200     200     404     404     200     401     401     401
GET    /api/v1/documents/<uuid:document_id>/export.md                   401     404     200     200     404     404     200     401     401     401
GET    /api/v1/documents/<uuid:document_id>/export.epub                 401     404     200     200     404     404     200     401     401     401
GET    /api/v1/documents/<uuid:document_id>/export.pdf                  401     404     200     200     404     404     200     401     401     401
GET    /api/v1/entries/<uuid:entry_id>/export.pdf                       401     200     200     200     200     200     200     401     401     401
GET    /api/v1/me/budgets                                               401     200     200     200     200     200     200     401     401     401
POST   /api/v1/documents/<uuid:document_id>/hand-in                     401     404     403     200     404     404     403     401     401     401
POST   /api/v1/documents/<uuid:document_id>/publish                     401     404     200     403     404     404     403     401     401     401
POST   /api/v1/documents/<uuid:document_id>/restore                     401     404     200     200     404     404     403     401     401     401
POST   /api/v1/documents/<uuid:document_id>/return                      401     404     200     403     404     404     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>/steps                       401     404     200     200     404     404     200     401     401     401
POST   /api/v1/documents/<uuid:document_id>/unarchive                   401     404     200     403     404     404     403     401     401     401
POST   /api/v1/documents/<uuid:document_id>/unpublish                   401     404     200     403     404     404     403     401     401     401
GET    /api/v1/documents/<uuid:document_id>/versions                    401     404     200     200     404     404     200     401     401     401
GET    /api/v1/documents/<uuid:document_id>/versions/<int:number>       401     404     200     200     404     404     200     401     401     401
GET    /api/v1/entries                                                  200     200     200     200     200     200     200     200     200     200
POST   /api/v1/entries                                                  401     201     201     201     201     201     201     401     401     401
GET    /api/v1/entries/<uuid:entry_id>                                  200     200     200     200     200     200     200     200     200     200
PATCH  /api/v1/entries/<uuid:entry_id>                                  401     200     404     404     404     404     404     401     401     401
DELETE /api/v1/entries/<uuid:entry_id>                                  401     204     404     404     404     404     404     401     401     401
POST   /api/v1/entries/<uuid:entry_id>/publish                          401     200     404     404     404     404     404     401     401     401
GET    /api/v1/entries/<uuid:entry_id>/versions                         401     200     404     404     404     404     404     401     401     401
GET    /api/v1/entries/<uuid:entry_id>/versions/<int:number>            401     200     404     404     404     404     404     401     401     401
GET    /api/v1/entries/<uuid:entry_id>/diff                             401     200     404     404     404     404     404     401     401     401
POST   /api/v1/entries/<uuid:entry_id>/restore                          401     200     404     404     404     404     404     401     401     401
GET    /api/v1/admin/quotas                                             401     403     403     403     403     403     200     401     401     401
GET    /api/v1/me                                                       401     200     200     200     200     200     200     401     401     401
PATCH  /api/v1/me                                                       401     200     200     200     200     200     200     401     401     401
PUT    /api/v1/me/password                                              401     422     422     422     422     422     422     401     401     401
GET    /api/v1/me/applications                                          401     200     200     200     200     200     200     401     401     401
DELETE /api/v1/me/applications/<uuid:client_id>                         401     204     204     204     204     204     204     401     401     401
GET    /api/v1/me/clients                                               401     200     200     200     200     200     200     401     401     401
POST   /api/v1/me/clients                                               401     201     201     201     201     201     201     401     401     401
DELETE /api/v1/me/clients/<uuid:client_id>                              401     204     404     404     404     404     204     401     401     401
GET    /api/v1/me/history                                               401     200     200     200     200     200     200     401     401     401
GET    /api/v1/me/keys                                                  401     200     200     200     200     200     200     401     401     401
POST   /api/v1/me/keys                                                  401     201     201     201     201     201     201     401     401     401
DELETE /api/v1/me/keys/<uuid:key_id>                                    401     204     404     404     404     404     404     401     401     401
GET    /api/v1/me/sign-ins                                              401     200     200     200     200     200     200     401     401     401
DELETE /api/v1/me/sign-ins/<uuid:family_id>                             401     404     404     404     404     404     404     401     401     401
GET    /api/v1/me/sessions                                              401     200     200     200     200     200     200     401     401     401
DELETE /api/v1/me/sessions/<uuid:session_id>                            401     204     404     404     404     404     404     401     401     401
POST   /api/v1/people                                                   201     201     201     201     201     201     201     201     201     201
GET    /api/v1/search                                                   200     200     200     200     200     200     200     200     200     200
GET    /health/live                                                     200     200     200     200     200     200     200     200     200     200
GET    /health/ready                                                    200     200     200     200     200     200     200     200     200     200
GET    /metrics                                                         404     404     404     404     404     404     404     404     404     404
POST   /oauth/introspect                                                401     401     401     401     401     401     401     401     401     401
POST   /oauth/revoke                                                    401     401     401     401     401     401     401     401     401     401
POST   /oauth/token                                                     401     401     401     401     401     401     401     401     401     401
GET    /oauth/userinfo                                                  401     403     403     403     403     403     403     401     401     401
POST   /oauth/userinfo                                                  401     403     403     403     403     403     403     401     401     401
GET    /protected                                                       401     200     200     200     200     200     200     403     403     403
GET    /protected_data                                                  401     200     200     200     200     200     200     401     401     401
"""

# What is sent where it is not nothing; words with a dollar sign are filled in for each caller.
SENT: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/login"): {"email": "$email", "password": "$password"},
    ("POST", "/register"): {"email": "$unused", "display_name": "New", "password": "$phrase"},
    ("POST", "/signupsponsor"): {"email": "$unused", "display_name": "New", "password": "$phrase"},
    ("POST", "/signupeditor"): {"email": "$unused", "display_name": "New", "password": "$phrase"},
    ("POST", "/account/keys/new"): {"name": "N", "scopes": "entries:read"},
    ("POST", "/account/clients/new"): {"name": "N", "scopes": "openid", "redirect_uris": "https://client.example/back"},
    ("POST", "/account/confirm"): {"password": "$password"},
    # The matrix leaves the cast as it is: the same name again, and a password that is not theirs.
    ("POST", "/account/profile"): {"display_name": "$name"},
    ("POST", "/account/password"): {"current_password": "x", "password": "$phrase"},
    ("PATCH", "/api/v1/me"): {"display_name": "$name"},
    ("PUT", "/api/v1/me/password"): {"current_password": "x", "password": "$phrase"},
    ("POST", "/entry"): {"title": "T", "body": "B"},
    ("POST", "/drafts"): {"place": "entry", "title": "T", "body": "B"},
    ("POST", "/drafts/keep"): {"place": "entry", "title": "T", "body": "B"},
    ("POST", "/drafts/discard"): {"place": "entry", "next": "/entry"},
    ("POST", "/drafts/preview"): {"body": "B"},
    ("POST", "/sponsor/newdocument"): {"title": "T"},
    ("POST", "/sponsor/documents/<uuid:document_id>"): {"title": "T", "version": "1"},
    ("POST", "/editor/documents/<uuid:document_id>"): {"title": "T", "version": "1"},
    ("POST", "/admin/people/<uuid:person_id>/<string:verb>"): {"reason": "R"},
    ("POST", "/admin/people/<uuid:person_id>/roles"): {"roles": "editor", "reason": "R"},
    ("POST", "/admin/people/<uuid:person_id>/end-sessions"): {"reason": "R"},
    ("POST", "/admin/secrets/rotate"): {"secret": "database"},
    ("POST", "/api/csp-reports"): {"csp-report": {}},
    ("POST", "/api/login"): {"email": "$email", "password": "$password"},
    ("POST", "/api/v1/auth/token"): {"email": "$email", "password": "$password"},
    ("POST", "/api/v1/auth/refresh"): {"refresh_token": "x"},
    ("POST", "/api/v1/auth/revoke"): {"token": "x"},
    ("POST", "/api/v1/people"): {"email": "$unused", "display_name": "New", "password": "$phrase"},
    ("POST", "/api/v1/entries"): {"title": "T", "body": "B"},
    ("PATCH", "/api/v1/entries/<uuid:entry_id>"): {"title": "T"},
    ("POST", "/api/v1/entries/<uuid:entry_id>/restore"): {"version": 1},
    ("POST", "/entry/<uuid:entry_id>/edit"): {"title": "T", "body": "B", "version": "1"},
    ("POST", "/entry/<uuid:entry_id>/versions/<int:number>/restore"): {"version": "1"},
    ("POST", "/api/v1/documents"): {"title": "T"},
    ("PATCH", "/api/v1/documents/<uuid:document_id>"): {"title": "T"},
    ("POST", "/api/v1/documents/<uuid:document_id>/comments"): {"body": "B"},
    ("POST", "/sponsor/documents/<uuid:document_id>/comments"): {"body": "B"},
    ("POST", "/editor/documents/<uuid:document_id>/comments"): {"body": "B"},
    ("POST", "/api/v1/documents/<uuid:document_id>/restore"): {"version": 1},
    ("POST", "/sponsor/documents/<uuid:document_id>/versions/<int:number>/restore"): {"version": "1"},
    ("POST", "/editor/documents/<uuid:document_id>/versions/<int:number>/restore"): {"version": "1"},
    ("POST", "/api/v1/me/keys"): {"name": "N", "scopes": ["entries:read"]},
    ("POST", "/api/v1/me/clients"): {
        "name": "N",
        "redirect_uris": ["https://client.example/back"],
        "scopes": ["entries:read"],
    },
    ("POST", "/api/v1/admin/people/<uuid:person_id>/approve"): {"reason": "R"},
    ("POST", "/api/v1/admin/people/<uuid:person_id>/decline"): {"reason": "R"},
    ("POST", "/api/v1/admin/people/<uuid:person_id>/suspend"): {"reason": "R"},
    ("POST", "/api/v1/admin/people/<uuid:person_id>/reinstate"): {"reason": "R"},
    ("POST", "/api/v1/admin/people/<uuid:person_id>/end-sessions"): {"reason": "R"},
    ("PUT", "/api/v1/admin/people/<uuid:person_id>/roles"): {"roles": ["editor"], "reason": "R"},
    ("POST", "/api/v1/admin/people/bulk"): {
        "ids": ["0197b8c4-0000-7000-8000-000000000000"],
        "action": "approve",
        "reason": "R",
    },
    ("POST", "/oauth/revoke"): {"token": "x"},
    ("POST", "/oauth/introspect"): {"token": "x"},
    ("POST", "/oauth/token"): {"grant_type": "client_credentials"},
}

# The state a document, an entry or a person must be in for the act to be open at all.
STATE: dict[tuple[str, str], str] = {
    ("POST", "/api/v1/documents/<uuid:document_id>/return"): "handed_in",
    ("POST", "/api/v1/documents/<uuid:document_id>/accept"): "handed_in",
    ("POST", "/api/v1/documents/<uuid:document_id>/publish"): "accepted",
    ("POST", "/api/v1/documents/<uuid:document_id>/unpublish"): "published",
    ("POST", "/api/v1/documents/<uuid:document_id>/archive"): "cancelled",
    ("POST", "/api/v1/documents/<uuid:document_id>/unarchive"): "archived",
    ("POST", "/entry/<uuid:entry_id>/publish"): "withdrawn",
    ("POST", "/api/v1/entries/<uuid:entry_id>/publish"): "withdrawn",
    ("POST", "/api/v1/admin/people/<uuid:person_id>/approve"): "pending",
    ("POST", "/api/v1/admin/people/<uuid:person_id>/decline"): "pending",
    ("POST", "/api/v1/admin/people/<uuid:person_id>/reinstate"): "suspended",
}

# What is asked for in addresses, where something must be.
QUERY: dict[str, str] = {
    "/sponsor/documents/<uuid:document_id>/compare": "?from=1&to=1",
    "/editor/documents/<uuid:document_id>/compare": "?from=1&to=1",
    "/api/v1/documents/<uuid:document_id>/diff": "?from=1&to=1",
    "/entry/<uuid:entry_id>/compare": "?from=1&to=1",
    "/api/v1/entries/<uuid:entry_id>/diff": "?from=1&to=1",
}

# Words in addresses that are not ids.
WORDS: dict[str, dict[str, str]] = {
    "/sponsor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb>": {"verb": "resolve"},
    "/editor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb>": {"verb": "resolve"},
    "/archive/<int:year>/<int:month>": {"year": "2026", "month": "1"},
    "/entry/<uuid:entry_id>/<string:words>": {"words": "on-copying"},
    "/tag/<string:words>": {"words": "of-nothing"},
    "/tag/<string:words>/feed.atom": {"words": "of-nothing"},
    "/tag/<string:words>/feed.json": {"words": "of-nothing"},
    "/entry/<uuid:entry_id>/versions/<int:number>": {"number": "1"},
    "/entry/<uuid:entry_id>/versions/<int:number>/restore": {"number": "1"},
    "/api/v1/entries/<uuid:entry_id>/versions/<int:number>": {"number": "1"},
    "/sponsor/documents/<uuid:document_id>/versions/<int:number>": {"number": "1"},
    "/sponsor/documents/<uuid:document_id>/versions/<int:number>/restore": {"number": "1"},
    "/editor/documents/<uuid:document_id>/versions/<int:number>": {"number": "1"},
    "/editor/documents/<uuid:document_id>/versions/<int:number>/restore": {"number": "1"},
    "/api/v1/documents/<uuid:document_id>/versions/<int:number>": {"number": "1"},
    "/sponsor/documents/<uuid:document_id>/<string:name>": {"name": "cancel"},
    "/editor/documents/<uuid:document_id>/<string:name>": {"name": "hand-in"},
    "/admin/people/<uuid:person_id>/<string:verb>": {"verb": "suspend"},
    "/docs/assets/<string:name>": {"name": "swagger-ui.css"},
    "/static/<path:filename>": {"filename": "site.css"},
}

# Acts that end sessions: people like those of the cast do them in their place.
ENDS_SESSIONS = {
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/sponsor/logout"),
    ("POST", "/editor/logout"),
    ("POST", "/account/sessions/end-others"),
}
BASIC = {"/protected"}


@dataclass(frozen=True)
class Row:
    """One route and what each person is answered."""

    method: str
    rule: str
    answers: dict[str, str]

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.rule


def rows() -> list[Row]:
    """The table as values."""
    found = []
    for line in TABLE.strip().splitlines():
        if line.strip() and not line.startswith("#"):
            method, rule, *answers = line.split()
            found.append(Row(method, rule, dict(zip(PEOPLE, answers, strict=True))))
    return found
