# SPDX-License-Identifier: Apache-2.0
# Names the Rails request (5.0 to 7.0) behind every query, with the gem marginalia, in a comment that databases ignore.
#
#   Gemfile:              gem "marginalia"
#   config/initializers:  this file, as rowcall.rb
#   config/database.yml:  prepared_statements: false     (a statement prepared under one comment would keep it)
#
# A query then ends in /*controller:orders,action:index,request_id:6f1c…,source_location:app/models/order.rb:3*/: controller#action is the
# scope that reports and budgets name, request_id tells one request from the next (an X-Request-Id header is kept), source_location is
# the app's line nearest to the query, looked up only under rowcall run. Jobs are named by their class and job_id. The app runs the same
# without rowcall.
module Marginalia::Comment
  def self.job_id
    marginalia_job.job_id if marginalia_job.respond_to?(:job_id)
  end

  def self.source_location
    root = "#{Rails.root}/"
    frame = caller.find { |line| line.start_with?(root) && !line.start_with?("#{root}vendor/") }
    frame && frame.delete_prefix(root)[/\A[^:]+:\d+/]
  end
end

Marginalia::Comment.components = [:controller, :action, :job, :request_id, :job_id]
Marginalia::Comment.components += [:source_location] if ENV["ROWCALL_URL"]
