# SPDX-License-Identifier: Apache-2.0
# Names the Rails request (7.0 and later) behind every query, in a comment that databases ignore.
#
#   config/application.rb:  paste what follows at the end of the class Application
#
# A query then ends in /*action='index',controller='orders',request_id='6f1c…',source_location='app%2Fmodels…%3A3'*/ (in 7.0 as key:value):
# controller#action is the scope that reports and budgets name, request_id tells one request from the next (an X-Request-Id header is
# kept), source_location is the app's line nearest to the query, looked up only under rowcall run (and from 8.0 on). Jobs are named by
# their class and job_id. Rails turns prepared statements off while query log tags are on. The app runs the same without rowcall.
config.active_record.query_log_tags_enabled = true
config.active_record.query_log_tags = [
  :controller, :action, :job,
  {
    request_id: ->(context) { context[:controller]&.request&.request_id },
    job_id: ->(context) { context[:job]&.job_id }
  }
]
if ENV["ROWCALL_URL"] && Rails.gem_version >= Gem::Version.new("8.0")
  config.active_record.query_log_tags << :source_location
end
